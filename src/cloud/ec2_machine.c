#include "ec2_machine.h"

#include <stdio.h>
#include <string.h>

#include "berth/base/id.h"
#include "berth/base/text.h"

static const struct {
    const char *name;
    enum cloud_state state;
} ec2_machine_states[] = {
    { "pending", CLOUD_PENDING },        { "running", CLOUD_RUNNING },
    { "shutting-down", CLOUD_STOPPING }, { "stopping", CLOUD_STOPPING },
    { "stopped", CLOUD_STOPPED },        { "terminated", CLOUD_TERMINATED },
};

static bool
ec2_machine_state(const char *name, int32_t *ret_state)
{
    for (size_t i = 0; i < ARRAY_LEN(ec2_machine_states); i++) {
        if (strcmp(ec2_machine_states[i].name, name) == 0) {
            *ret_state = (int32_t)ec2_machine_states[i].state;
            return true;
        }
    }
    return false;
}

/* What is too long is not kept: half an id would be somebody else's. */
static bool
ec2_machine_copy(char *ret_text, size_t size, const char *text)
{
    if (strlen(text) >= size)
        return false;
    (void)snprintf(ret_text, size, "%s", text);
    return text[0] != '\0';
}

/* The value of the tag @key; "" when it has none. */
static const char *
ec2_machine_tag(struct ec2_node item, const char *key)
{
    struct ec2_node tag = ec2_xml_find(item, "tagSet/item");

    while (tag.xml && strcmp(ec2_xml_text(tag, "key"), key) != 0)
        tag = ec2_xml_next(tag);
    return ec2_xml_text(tag, "value");
}

bool
ec2_machine_is_ours(struct ec2_node item, const char *cluster_id, const char *pool_name)
{
    return strcmp(ec2_machine_tag(item, EC2_TAG_CLUSTER), cluster_id) == 0 &&
           strcmp(ec2_machine_tag(item, EC2_TAG_POOL), pool_name) == 0;
}

bool
ec2_machine_read(struct ec2_node item, enum ec2_address address, struct cloud_machine *ret_machine)
{
    bool public = address == EC2_ADDRESS_PUBLIC;
    struct cloud_machine machine = { 0 };

    if (!ec2_machine_copy(machine.id, sizeof(machine.id), ec2_xml_text(item, "instanceId")) ||
        !ec2_machine_state(ec2_xml_text(item, "instanceState/name"), &machine.state))
        return false;
    (void)ec2_machine_copy(machine.type, sizeof(machine.type), ec2_xml_text(item, "instanceType"));
    (void)ec2_machine_copy(machine.zone, sizeof(machine.zone),
                           ec2_xml_text(item, "placement/availabilityZone"));
    (void)ec2_machine_copy(machine.address, sizeof(machine.address),
                           ec2_xml_text(item, public ? "ipAddress" : "privateIpAddress"));
    (void)text_time_parse(ec2_xml_text(item, "launchTime"), &machine.launched_at_ms);
    if (!id_decode(ID_HOST, ec2_machine_tag(item, EC2_TAG_HOST), &machine.host_id))
        machine.host_id = 0;
    machine.notice =
        strcmp(ec2_xml_text(item, "stateReason/code"), "Server.SpotInstanceTermination") == 0;
    machine.spot = strcmp(ec2_xml_text(item, "instanceLifecycle"), "spot") == 0;
    *ret_machine = machine;
    return true;
}
