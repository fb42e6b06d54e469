/*
 * TLS: only the given authority counts, the name must match, our certificate is
 * shown, and every refusal, however late TLS 1.3 tells it, is FAULT_TLS.
 */

#include <stdlib.h>
#include <unistd.h>

#include "http_probe.h"
#include "support/fake_pki.h"

enum { ROUNDS = 50 }; /* a refusal races with our request */

static const struct fake_http_rule rules[] = {
    { "/ok", .reply = REPLY_OK },
    { "/big", .reply = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", .padding = 900 },
    { "/until-close", .reply = "HTTP/1.1 200 OK\r\n\r\nto the end", .then = FAKE_HTTP_CLOSE },
    { "/close", .then = FAKE_HTTP_CLOSE },
    { .path = NULL },
};

static const char *const files[] = { "ca", "other", "server", "elsewhere", "client", "stranger" };

static char folder[] = "/tmp/berth-test-tls-XXXXXX";
static char paths[ARRAY_LEN(files)][2][64]; /* certificate, key */

enum { CA, OTHER, SERVER, ELSEWHERE, CLIENT, STRANGER };

static int
mint(void **state)
{
    struct fake_pki *ca;
    struct fake_pki *other;

    (void)state;
    assert_non_null(mkdtemp(folder));
    ca = fake_pki_new(folder, "ca");
    other = fake_pki_new(folder, "other");
    fake_pki_issue(ca, "server", "IP:127.0.0.1");
    fake_pki_issue(ca, "elsewhere", "IP:127.0.0.2,DNS:localhost");
    fake_pki_issue(ca, "client", "DNS:client");
    fake_pki_issue(other, "stranger", "IP:127.0.0.1");
    fake_pki_free(ca);
    fake_pki_free(other);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        (void)snprintf(paths[i][0], sizeof(paths[i][0]), "%s/%s.pem", folder, files[i]);
        (void)snprintf(paths[i][1], sizeof(paths[i][1]), "%s/%s.key", folder, files[i]);
    }
    return 0;
}

static int
clean(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        (void)unlink(paths[i][0]);
        (void)unlink(paths[i][1]);
    }
    return rmdir(folder);
}

static void
serve(int certificate, bool mutual, bool tls12)
{
    fake = fake_http_new(&(struct fake_http_config){
        .certificate = paths[certificate][0],
        .key = paths[certificate][1],
        .client_ca = mutual ? paths[CA][0] : NULL,
        .tls12 = tls12,
        .rules = rules,
    });
}

static void
stop(void)
{
    fake_http_free(fake);
    fake = NULL;
}

/* @client: -1 for no certificate of ours. */
static void
expect(int client, const char *path, enum fault_kind kind, const char *text)
{
    struct probe probe;

    probe_init("GET", &probe, "https", path);
    probe.op.peer.ca = paths[CA][0];
    probe.op.peer.cert = client < 0 ? NULL : paths[client][0];
    probe.op.peer.tls_key = client < 0 ? NULL : paths[client][1];
    probe_expect(&probe, kind, text);
}

static void
good_certificates_pass(void **state)
{
    (void)state;
    for (int tls12 = 0; tls12 < 2; tls12++) {
        serve(SERVER, false, tls12);
        expect(-1, "/ok", FAULT_NONE, "");
        expect(-1, "/big", FAULT_NONE, "");
        expect(-1, "/ok", FAULT_NONE, "");
        assert_int_equal(fake_http_connections(fake), 1);
        expect(-1, "/until-close", FAULT_NONE, "");
        expect(-1, "/close", FAULT_LOST, "before the answer");
        stop();

        serve(SERVER, true, tls12);
        expect(CLIENT, "/ok", FAULT_NONE, "");
        expect(CLIENT, "/ok", FAULT_NONE, "");
        assert_int_equal(fake_http_connections(fake), 1);
        stop();
    }
}

static void
its_certificate_is_checked(void **state)
{
    struct probe probe;

    (void)state;
    serve(STRANGER, false, false); /* of another authority */
    expect(-1, "/ok", FAULT_TLS, "its certificate was refused: ");
    assert_int_equal(fake_http_requests(fake, NULL), 0);
    stop();

    serve(ELSEWHERE, false, false); /* of another machine */
    expect(-1, "/ok", FAULT_TLS, "its certificate was refused: ");
    assert_int_equal(fake_http_requests(fake, NULL), 0);
    stop();

    serve(SERVER, false, false);
    probe_init("GET", &probe, "https", "/ok"); /* without an authority nobody is trusted */
    probe_expect(&probe, FAULT_TLS, "its certificate was refused: ");
    probe_init("GET", &probe, "https", "/ok");
    probe.op.peer.ca = "/nonexistent/ca.pem";
    probe_expect(&probe, FAULT_TLS, "the file of trusted certificates cannot be used");
    assert_int_equal(fake_http_requests(fake, NULL), 0);
    stop();
}

/* Under TLS 1.3 our request is on its way by the time it is refused. */
static void
our_certificate_is_refused(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * ROUNDS; i++) {
        serve(SERVER, true, i % 2 == 0);
        expect(-1, "/ok", FAULT_TLS, NULL);
        expect(STRANGER, "/ok", FAULT_TLS, NULL);
        assert_int_equal(fake_http_requests(fake, NULL), 0);
        stop();
    }
}

static void
our_certificate_cannot_be_read(void **state)
{
    struct probe probe;

    (void)state;
    serve(SERVER, true, false);
    probe_init("GET", &probe, "https", "/ok");
    probe.op.peer.ca = paths[CA][0];
    probe.op.peer.cert = "/nonexistent/cert.pem";
    probe.op.peer.tls_key = paths[CLIENT][1];
    probe_expect(&probe, FAULT_TLS, "our certificate or its key cannot be used");
    probe_init("GET", &probe, "https", "/ok");
    probe.op.peer.ca = paths[CA][0];
    probe.op.peer.cert = paths[CLIENT][0];
    probe.op.peer.tls_key = paths[STRANGER][1]; /* of another certificate */
    probe_expect(&probe, FAULT_TLS, "our certificate or its key cannot be used");
}

/* A connection that one certificate opened must not carry the requests of others. */
static void
connections_keep_their_identity(void **state)
{
    (void)state;
    serve(SERVER, true, false);
    expect(CLIENT, "/ok", FAULT_NONE, "");
    expect(-1, "/ok", FAULT_TLS, NULL);
    expect(STRANGER, "/ok", FAULT_TLS, NULL);
    expect(CLIENT, "/ok", FAULT_NONE, "");
    assert_int_equal(fake_http_requests(fake, "/ok"), 2);
    assert_int_equal(fake_http_connections(fake), 3);
}

static void
the_other_side_speaks_something_else(void **state)
{
    struct probe probe;

    (void)state;
    probe_serve(rules); /* plain HTTP to a request by TLS: waits for the end of a head */
    probe_init("GET", &probe, "https", "/ok");
    probe.op.connect_ms = 200;
    probe_expect(&probe, FAULT_UNREACHABLE, "no answer within 200 ms");
    stop();

    serve(SERVER, false, false);
    probe_init("GET", &probe, "http", "/ok");
    probe_expect(&probe, FAULT_LOST, NULL);
    stop();

    fake = fake_http_new(&(struct fake_http_config){ .hang_up = true });
    expect(-1, "/ok", FAULT_UNREACHABLE, "the connection broke before the request was sent");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(good_certificates_pass, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(its_certificate_is_checked, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(our_certificate_is_refused, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(our_certificate_cannot_be_read, probe_setup,
                                        probe_teardown),
        cmocka_unit_test_setup_teardown(connections_keep_their_identity, probe_setup,
                                        probe_teardown),
        cmocka_unit_test_setup_teardown(the_other_side_speaks_something_else, probe_setup,
                                        probe_teardown),
    };

    return cmocka_run_group_tests_name("loop.http_tls", tests, mint, clean);
}
