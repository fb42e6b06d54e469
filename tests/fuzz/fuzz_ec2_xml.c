/* Any bytes are an answer or are refused; what was read can be walked, is bounded, and has an end,
 * whichever question it answers. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../../src/cloud/ec2_console.h"
#include "../../src/cloud/ec2_fault.h"
#include "../../src/cloud/ec2_launch.h"
#include "../../src/cloud/ec2_machine.h"
#include "../../src/cloud/ec2_opening.h"
#include "../../src/cloud/ec2_pages.h"
#include "../../src/cloud/ec2_prices.h"
#include "../../src/cloud/ec2_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fuzz_prices(struct ec2_node root)
{
    struct ec2_prices prices = { 0 };
    struct ec2_node item = ec2_xml_find(root, "spotPriceHistorySet/item");
    int64_t micro = 0;

    ec2_prices_read(&prices, root);
    for (; item.xml; item = ec2_xml_next(item)) {
        micro = ec2_prices_find(&prices, ec2_xml_text(item, "instanceType"),
                                ec2_xml_text(item, "availabilityZone"));
        assert(micro >= 0 && micro <= INT64_C(1000000000001));
    }
    ec2_prices_fini(&prices);
}

static void
fuzz_groups(struct ec2_node root)
{
    struct ec2_node item = ec2_xml_find(root, "securityGroupInfo/item");
    struct ec2_openings *sets = mem_new0(3 * sizeof(*sets));
    struct ec2_query query;

    for (; item.xml; item = ec2_xml_next(item)) {
        ec2_opening_read(item, "ipPermissions", &sets[0]);
        ec2_opening_minus(&sets[0], &sets[1], &sets[2]);
        assert(sets[2].count <= sets[0].count && sets[0].count <= EC2_OPENINGS_MAX);
        ec2_query_init(&query, "RevokeSecurityGroupIngress");
        ec2_opening_encode(&sets[2], &query);
        ec2_query_fini(&query);
    }
    mem_free(sets);
}

/* What else is read from answers. */
static void
fuzz_rest(struct ec2_node root, const struct ec2_xml *xml)
{
    static const struct ec2_config config;
    char image[EC2_IMAGE_ID_SIZE];
    struct ec2_image_found found = { 0 };
    struct ec2_pages pages = { 0 };
    CLEANUP(mem_freep) char *console = ec2_console_decode(ec2_xml_text(root, "output"));

    assert(strlen(console) <= CLOUD_CONSOLE_MAX);
    (void)ec2_launch_template_read(root, &config, image, NULL);
    ec2_launch_image_read(root, &found);
    (void)ec2_pages_read(&pages, xml);
    ec2_pages_fini(&pages);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(ec2_xml_freep) struct ec2_xml *xml = NULL;
    struct ec2_error error = { .status = 400 };
    struct fault fault = { 0 };
    struct cloud_machine machine;
    size_t count = 0;

    (void)ec2_fault_read((const char *)data, size, &error);
    assert(strlen(error.code) < sizeof(error.code));
    (void)ec2_fault_set(&error, "fuzz", &fault);
    assert(fault.kind != FAULT_NONE);
    if (ec2_xml_parse((const char *)data, size, &xml, &fault) < 0)
        return 0;
    for (struct ec2_node node = ec2_xml_find(ec2_xml_root(xml), "reservationSet/item"); node.xml;
         node = ec2_xml_next(node)) {
        struct ec2_node item = ec2_xml_find(node, "instancesSet/item");

        for (; item.xml; item = ec2_xml_next(item), count++) {
            (void)ec2_machine_read(item, EC2_ADDRESS_PRIVATE, &machine);
            (void)ec2_machine_read(item, EC2_ADDRESS_PUBLIC, &machine);
        }
    }
    assert(count <= size);
    fuzz_prices(ec2_xml_root(xml));
    fuzz_groups(ec2_xml_root(xml));
    fuzz_rest(ec2_xml_root(xml), xml);
    return 0;
}
