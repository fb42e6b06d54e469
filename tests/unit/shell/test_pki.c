/* What the pool's authority signs is what TLS peers take: for its role, its names, its time, and no
 * other. */

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/shell/pki.h"

#define DAY_MS INT64_C(86400000)
#define NOW_MS INT64_C(1790000000000)

static void
test_fill(void *self, void *ret_data, size_t len)
{
    uint8_t *next = self;

    memset(ret_data, (*next)++, len);
}

static uint8_t test_next = 1;
static const struct random_port test_random = { .self = &test_next, .fill = test_fill };

static const struct pki_order test_server = { .role = PKI_SERVER,
                                              .name = "h-7",
                                              .address = "10.0.0.5",
                                              .dns = "h-7.web.berth",
                                              .now_ms = NOW_MS,
                                              .lifetime_ms = 90 * DAY_MS };
static const struct pki_order test_client = {
    .role = PKI_CLIENT, .name = "berthd", .now_ms = NOW_MS, .lifetime_ms = 365 * DAY_MS
};

struct world {
    struct pki_pair authority;
    struct pki_pair pair;
};

static int
world_setup(void **state)
{
    static struct world world;

    world = (struct world){ 0 };
    assert_int_equal(pki_authority_new("web", NOW_MS, &test_random, &world.authority, NULL), 0);
    *state = &world;
    return 0;
}

static int
world_teardown(void **state)
{
    struct world *world = *state;

    pki_pair_fini(&world->authority);
    pki_pair_fini(&world->pair);
    return 0;
}

static X509 *
test_read(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free_all(bio);
    assert_non_null(certificate);
    return certificate;
}

/* As a TLS peer does at @at_ms. Return: X509_V_OK or why not. */
static int
test_verify(const struct pki_pair *pair, const struct pki_pair *authority, int purpose,
            int64_t at_ms)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_STORE *store = X509_STORE_new();
    X509 *certificate = test_read(pair->certificate);
    X509 *root = test_read(authority->certificate);
    int result;

    assert_true(X509_STORE_add_cert(store, root) &&
                X509_STORE_CTX_init(context, store, certificate, NULL));
    X509_STORE_CTX_set_purpose(context, purpose);
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT);
    X509_STORE_CTX_set_time(context, 0, (time_t)(at_ms / 1000));
    (void)X509_verify_cert(context);
    result = X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    X509_free(certificate);
    X509_free(root);
    return result;
}

static void
test_a_server_is_a_server(void **state)
{
    struct world *world = *state;
    X509 *certificate;

    assert_int_equal(pki_issue(&world->authority, &test_server, &test_random, &world->pair, NULL),
                     0);
    assert_int_equal(test_verify(&world->pair, &world->authority, X509_PURPOSE_SSL_SERVER, NOW_MS),
                     X509_V_OK);
    assert_int_equal(test_verify(&world->pair, &world->authority, X509_PURPOSE_SSL_CLIENT, NOW_MS),
                     X509_V_ERR_INVALID_PURPOSE);
    certificate = test_read(world->pair.certificate);
    assert_int_equal(X509_check_ip_asc(certificate, "10.0.0.5", 0), 1);
    assert_int_equal(X509_check_ip_asc(certificate, "10.0.0.6", 0), 0);
    assert_int_equal(X509_check_host(certificate, "h-7.web.berth", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ca(certificate), 0);
    X509_free(certificate);
}

static void
test_a_client_is_a_client(void **state)
{
    struct world *world = *state;

    assert_int_equal(pki_issue(&world->authority, &test_client, &test_random, &world->pair, NULL),
                     0);
    assert_int_equal(test_verify(&world->pair, &world->authority, X509_PURPOSE_SSL_CLIENT, NOW_MS),
                     X509_V_OK);
    assert_int_equal(test_verify(&world->pair, &world->authority, X509_PURPOSE_SSL_SERVER, NOW_MS),
                     X509_V_ERR_INVALID_PURPOSE);
}

/* A clock that is hours behind is no reason to refuse. */
static void
test_time(void **state)
{
    struct world *world = *state;
    int64_t ends_ms = 0;

    assert_int_equal(pki_issue(&world->authority, &test_server, &test_random, &world->pair, NULL),
                     0);
    assert_int_equal(pki_check(&world->pair, world->authority.certificate, &ends_ms, NULL), 0);
    assert_int_equal(ends_ms, NOW_MS + 90 * DAY_MS);
    assert_int_equal(test_verify(&world->pair, &world->authority, X509_PURPOSE_SSL_SERVER,
                                 NOW_MS - DAY_MS + 60000),
                     X509_V_OK);
    assert_int_equal(
        test_verify(&world->pair, &world->authority, X509_PURPOSE_SSL_SERVER, ends_ms + 60000),
        X509_V_ERR_CERT_HAS_EXPIRED);
}

static void
test_nothing_outlives_the_authority(void **state)
{
    struct world *world = *state;
    struct pki_order order = test_client;
    struct fault fault;
    int64_t authority_ends_ms = 0;
    int64_t ends_ms = 0;

    assert_int_equal(
        pki_check(&world->authority, world->authority.certificate, &authority_ends_ms, NULL), 0);
    order.now_ms = authority_ends_ms - DAY_MS;
    assert_int_equal(pki_issue(&world->authority, &order, &test_random, &world->pair, NULL), 0);
    assert_int_equal(pki_check(&world->pair, world->authority.certificate, &ends_ms, NULL), 0);
    assert_int_equal(ends_ms, authority_ends_ms);
    pki_pair_fini(&world->pair);
    order.now_ms = authority_ends_ms;
    assert_int_equal(pki_issue(&world->authority, &order, &test_random, &world->pair, &fault), -1);
    assert_int_equal(fault.kind, FAULT_INVALID);
}

static void
test_another_authority_does_not_count(void **state)
{
    struct world *world = *state;
    struct pki_pair other = { 0 };
    struct fault fault;

    assert_int_equal(pki_authority_new("web", NOW_MS, &test_random, &other, NULL), 0);
    assert_int_equal(pki_issue(&world->authority, &test_server, &test_random, &world->pair, NULL),
                     0);
    assert_int_not_equal(test_verify(&world->pair, &other, X509_PURPOSE_SSL_SERVER, NOW_MS),
                         X509_V_OK);
    assert_int_equal(pki_check(&world->pair, other.certificate, NULL, &fault), -1);
    assert_string_equal(fault.text, "the certificate was signed by another authority");
    pki_pair_fini(&other);
}

static void
test_serials_differ_and_are_positive(void **state)
{
    struct world *world = *state;
    struct pki_pair second = { 0 };
    X509 *a;
    X509 *b;

    assert_int_equal(pki_issue(&world->authority, &test_server, &test_random, &world->pair, NULL),
                     0);
    assert_int_equal(pki_issue(&world->authority, &test_server, &test_random, &second, NULL), 0);
    a = test_read(world->pair.certificate);
    b = test_read(second.certificate);
    assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(a), X509_get0_serialNumber(b)), 0);
    assert_int_equal(ASN1_STRING_type(X509_get0_serialNumber(a)), V_ASN1_INTEGER);
    X509_free(a);
    X509_free(b);
    pki_pair_fini(&second);
}

/* Texts that would add a name of their own to the certificate, among others. */
static void
test_bad_names_are_refused(void **state)
{
    static const struct {
        const char *address;
        const char *dns;
    } bad[] = {
        { "10.0.0.5,DNS:evil", NULL },
        { "host", NULL },
        { "", NULL },
        { "10.0.0.5", "a,IP:1.2.3.4" },
        { "10.0.0.5", "a b" },
        { "10.0.0.5", "" },
        { NULL, "a" },
    };
    struct world *world = *state;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct pki_order order = test_server;
        struct fault fault;

        order.address = bad[i].address;
        order.dns = bad[i].dns;
        assert_int_equal(pki_issue(&world->authority, &order, &test_random, &world->pair, &fault),
                         -1);
        assert_int_equal(fault.kind, FAULT_INVALID);
    }
}

static void
test_what_is_truncated_is_seen(void **state)
{
    struct world *world = *state;
    struct pki_pair cut = { 0 };
    struct fault fault;

    assert_int_equal(pki_issue(&world->authority, &test_server, &test_random, &world->pair, NULL),
                     0);
    cut.certificate = mem_printf("%.200s", world->pair.certificate);
    cut.key = world->pair.key;
    assert_int_equal(pki_check(&cut, world->authority.certificate, NULL, &fault), -1);
    assert_string_equal(fault.text, "the certificate is truncated or none");
    mem_free(cut.certificate);
    cut.certificate = world->pair.certificate;
    cut.key = world->authority.key;
    assert_int_equal(pki_check(&cut, world->authority.certificate, NULL, &fault), -1);
    assert_string_equal(fault.text, "the key does not belong to the certificate");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_server_is_a_server),
        TEST(test_a_client_is_a_client),
        TEST(test_time),
        TEST(test_nothing_outlives_the_authority),
        TEST(test_another_authority_does_not_count),
        TEST(test_serials_differ_and_are_positive),
        TEST(test_bad_names_are_refused),
        TEST(test_what_is_truncated_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
