/*
 * Answers of EC2 are read as they are; what is no such answer is refused, whatever its size.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/buf.h"

#include "../../../src/cloud/ec2_machine.h"

static const char answer[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n"
    "  <!-- none of this counts -->\n"
    "  <requestId>r-1</requestId>\n"
    "  <reservationSet>\n"
    "    <item><instancesSet>\n"
    "      <item><instanceId>i-1</instanceId>\n"
    "        <instanceState><code>16</code><name>running</name></instanceState>\n"
    "        <launchTime>2026-11-22T03:00:00.000Z</launchTime>\n"
    "        <placement><availabilityZone>eu-north-1a</availabilityZone></placement>\n"
    "        <privateIpAddress>10.0.0.5</privateIpAddress><ipAddress>203.0.113.5</ipAddress>\n"
    "        <instanceLifecycle>spot</instanceLifecycle>\n"
    "        <tagSet><item><key>Name</key><value>a &lt;b&gt; &#233;</value></item>\n"
    "                "
    "<item><key>berth:host</key><value>h-0000000000007</value></item></tagSet></item>\n"
    "      <item><instanceId>i-2</instanceId>\n"
    "        <instanceState><name>shutting-down</name></instanceState>\n"
    "        <privateIpAddress>10.0.0.6</privateIpAddress><ipAddress/></item>\n"
    "    </instancesSet></item>\n"
    "    <item><instancesSet/></item>\n"
    "  </reservationSet>\n"
    "</DescribeInstancesResponse>";

/* Longer than any id of EC2. */
#define LONG_ID                                                                                    \
    "<item><instanceId>i-01234567890123456789012345678901234567890123456789</instanceId>"          \
    "<instanceState><name>running</name></instanceState></item>"

static struct ec2_xml *
read_good(const char *text)
{
    struct ec2_xml *xml = NULL;
    struct fault fault = { 0 };

    if (ec2_xml_parse(text, strlen(text), &xml, &fault) < 0)
        fail_msg("%s", fault.text);
    return xml;
}

static void
refuse(const char *text, size_t len, const char *why)
{
    struct ec2_xml *xml = NULL;
    struct fault fault = { 0 };

    assert_int_equal(ec2_xml_parse(text, len, &xml, &fault), -1);
    assert_null(xml);
    assert_int_equal(fault.kind, FAULT_GARBLED);
    if (!strstr(fault.text, why))
        fail_msg("\"%s\" does not say \"%s\"", fault.text, why);
}

static void
elements_are_found_by_path(void **state)
{
    CLEANUP(ec2_xml_freep) struct ec2_xml *xml = read_good(answer);
    struct ec2_node root = ec2_xml_root(xml);
    struct ec2_node item = ec2_xml_find(root, "reservationSet/item/instancesSet/item");

    (void)state;
    assert_string_equal(ec2_xml_name(root), "DescribeInstancesResponse");
    assert_string_equal(ec2_xml_text(root, "requestId"), "r-1");
    assert_string_equal(ec2_xml_text(root, "reservationSet"), "");
    assert_string_equal(ec2_xml_text(root, "nextToken"), "");
    assert_string_equal(ec2_xml_text(item, "tagSet/item/value"), "a <b> \xc3\xa9");
    item = ec2_xml_next(item);
    assert_string_equal(ec2_xml_text(item, "instanceId"), "i-2");
    item = ec2_xml_next(item);
    assert_null(item.xml);
    assert_string_equal(ec2_xml_text(item, "instanceId"), "");
    assert_null(ec2_xml_next(item).xml);
    assert_null(ec2_xml_find(root, "reservationSet/items").xml);
}

static void
machines_are_read(void **state)
{
    CLEANUP(ec2_xml_freep) struct ec2_xml *xml = read_good(answer);
    struct ec2_node item = ec2_xml_find(ec2_xml_root(xml), "reservationSet/item/instancesSet/item");
    struct cloud_machine machine;

    (void)state;
    assert_true(ec2_machine_read(item, EC2_ADDRESS_PUBLIC, &machine));
    assert_string_equal(machine.id, "i-1");
    assert_string_equal(machine.zone, "eu-north-1a");
    assert_string_equal(machine.address, "203.0.113.5");
    assert_int_equal(machine.state, CLOUD_RUNNING);
    assert_int_equal(machine.host_id, 7);
    assert_int_equal(machine.launched_at_ms, INT64_C(1795316400000));
    assert_true(machine.spot);
    assert_true(ec2_machine_read(ec2_xml_next(item), EC2_ADDRESS_PRIVATE, &machine));
    assert_string_equal(machine.address, "10.0.0.6");
    assert_int_equal(machine.state, CLOUD_STOPPING);
    assert_int_equal(machine.host_id, 0);
    assert_false(machine.spot);
}

static void
what_is_no_machine_is_none(void **state)
{
    static const char *const texts[] = {
        "<item><instanceState><name>running</name></instanceState></item>",
        "<item><instanceId>i-1</instanceId></item>",
        "<item><instanceId>i-1</instanceId><instanceState><name>odd</name></instanceState></item>",
        LONG_ID,
    };
    struct cloud_machine machine;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(ec2_xml_freep) struct ec2_xml *xml = read_good(texts[i]);

        assert_false(ec2_machine_read(ec2_xml_root(xml), EC2_ADDRESS_PRIVATE, &machine));
    }
}

static void
what_is_no_answer_is_refused(void **state)
{
    static const char bomb[] = "<!DOCTYPE a [<!ENTITY b \"bbbb\">]><a>&b;</a>";
    struct buf deep;
    struct buf wide;

    (void)state;
    refuse("", 0, "no element");
    refuse("{}", 2, "token");
    refuse("<a><b></a>", 10, "mismatched");
    refuse(answer, sizeof(answer) - 30, "no element");
    refuse("<a>\0</a>", 8, "token");
    refuse("<a>\xff</a>", 8, "token");
    refuse(bomb, strlen(bomb), "document type");
    buf_init(&deep, 0);
    for (int i = 0; i <= EC2_XML_DEPTH_MAX; i++)
        buf_append_string(&deep, "<a>");
    refuse(deep.data, deep.len, "too many elements");
    buf_fini(&deep);
    buf_init(&wide, 0);
    buf_append_string(&wide, "<a>");
    for (int i = 0; i <= EC2_XML_NODES_MAX; i++)
        buf_append_string(&wide, "<b/>");
    refuse(wide.data, wide.len, "too many elements");
    buf_clear(&wide);
    buf_append_string(&wide, "<a>");
    memset(buf_reserve(&wide, EC2_XML_TEXT_MAX + 1), 'x', EC2_XML_TEXT_MAX + 1);
    wide.len += EC2_XML_TEXT_MAX + 1;
    buf_append_string(&wide, "</a>");
    refuse(wide.data, wide.len, "too much text");
    buf_fini(&wide);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_found_by_path),
        cmocka_unit_test(machines_are_read),
        cmocka_unit_test(what_is_no_machine_is_none),
        cmocka_unit_test(what_is_no_answer_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
