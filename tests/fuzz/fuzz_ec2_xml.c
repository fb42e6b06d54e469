/* Any bytes are an answer or are refused; what was read can be walked, is bounded, and has an end. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../../src/cloud/ec2_fault.h"
#include "../../src/cloud/ec2_machine.h"
#include "../../src/cloud/ec2_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
    return 0;
}
