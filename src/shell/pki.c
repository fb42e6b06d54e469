/* Certificates by OpenSSL 3. */

#include "pki.h"

#include <arpa/inet.h>
#include <assert.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#define PKI_DAY_MS       (INT64_C(86400) * 1000)
#define PKI_AUTHORITY_MS (3653 * PKI_DAY_MS)

enum { PKI_SERIAL_BYTES = 16, PKI_DNS_MAX = 253, PKI_NAMES_SIZE = 400 };

MEM_DEFINE_FREEP(X509, X509_free);
MEM_DEFINE_FREEP(EVP_PKEY, EVP_PKEY_free);
MEM_DEFINE_FREEP(BIO, BIO_free_all);
MEM_DEFINE_FREEP(X509_EXTENSION, X509_EXTENSION_free);

struct pki_extension {
    int nid;
    const char *value; /* as in openssl's x509v3_config(5) */
};

static const struct pki_extension pki_authority_extensions[] = {
    { NID_basic_constraints, "critical,CA:TRUE,pathlen:0" },
    { NID_key_usage, "critical,keyCertSign" },
    { NID_subject_key_identifier, "hash" },
};

static const struct pki_extension pki_leaf_extensions[] = {
    { NID_basic_constraints, "critical,CA:FALSE" },
    { NID_key_usage, "critical,digitalSignature" },
    { NID_subject_key_identifier, "hash" },
    { NID_authority_key_identifier, "keyid:always" },
};

void
pki_pair_fini(struct pki_pair *pair)
{
    mem_free(pair->certificate);
    secret_free(pair->key);
    *pair = (struct pki_pair){ 0 };
}

/* OpenSSL's words, and an empty queue: the next call must not find them. */
static int
pki_broke(const char *what, struct fault *fault)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return fault_set(fault, FAULT_BUG, "pki", "%s: %s", what, why ? why : "no reason given");
}

/* --- PEM ---------------------------------------------------------------------------------------- */

static X509 *
pki_certificate_read(const char *pem)
{
    CLEANUP(BIO_free_allp) BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    ERR_clear_error();
    return certificate;
}

static EVP_PKEY *
pki_key_read(const struct secret *pem)
{
    CLEANUP(BIO_free_allp) BIO *bio = BIO_new_mem_buf(secret_bytes(pem), (int)secret_len(pem));
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

    ERR_clear_error();
    return key;
}

static int
pki_pair_write(EVP_PKEY *key, X509 *certificate, struct pki_pair *ret_pair, struct fault *fault)
{
    CLEANUP(BIO_free_allp) BIO *certificate_bio = BIO_new(BIO_s_mem());
    CLEANUP(BIO_free_allp) BIO *key_bio = BIO_new(BIO_s_secmem());
    char *text;
    long len;

    if (!certificate_bio || !key_bio || !PEM_write_bio_X509(certificate_bio, certificate) ||
        !PEM_write_bio_PKCS8PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL))
        return pki_broke("a certificate cannot be written", fault);
    len = BIO_get_mem_data(certificate_bio, &text);
    ret_pair->certificate = mem_printf("%.*s", (int)len, text);
    len = BIO_get_mem_data(key_bio, &text);
    ret_pair->key = secret_new(text, (size_t)len);
    return 0;
}

/* --- What goes into a certificate ----------------------------------------------------------------- */

static bool
pki_serial_set(X509 *certificate, const struct random_port *random)
{
    unsigned char bytes[PKI_SERIAL_BYTES];
    BIGNUM *number;
    bool good;

    random->fill(random->self, bytes, sizeof(bytes));
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, and of one length */
    number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    good = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return good;
}

static bool
pki_name_set(X509_NAME *subject, const char *name)
{
    return X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const unsigned char *)"Berth",
                                      -1, -1, 0) &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                      -1, 0);
}

static bool
pki_extension_add(X509 *certificate, X509 *issuer, const struct pki_extension *extension)
{
    CLEANUP(X509_EXTENSION_freep) X509_EXTENSION *made = NULL;
    X509V3_CTX context;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    made = X509V3_EXT_conf_nid(NULL, &context, extension->nid, extension->value);
    return made && X509_add_ext(certificate, made, -1);
}

static bool
pki_extensions_add(X509 *certificate, X509 *issuer, const struct pki_extension *at, size_t count)
{
    bool good = true;

    for (size_t i = 0; i < count && good; i++)
        good = pki_extension_add(certificate, issuer, &at[i]);
    return good;
}

/* Unsigned; @issuer: NULL: itself. */
static X509 *
pki_draft(const char *name, EVP_PKEY *key, X509 *issuer, const struct random_port *random)
{
    CLEANUP(X509_freep) X509 *draft = X509_new();

    if (!draft || !X509_set_version(draft, X509_VERSION_3) || !pki_serial_set(draft, random) ||
        !pki_name_set(X509_get_subject_name(draft), name) ||
        !X509_set_issuer_name(draft, X509_get_subject_name(issuer ? issuer : draft)) ||
        !X509_set_pubkey(draft, key))
        return NULL;
    return STEAL(draft);
}

static bool
pki_validity_set(X509 *certificate, int64_t from_ms, int64_t to_ms)
{
    return ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)(from_ms / 1000)) &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)(to_ms / 1000));
}

static int64_t
pki_ends_at_ms(const X509 *certificate)
{
    struct tm end;

    if (!ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end))
        return 0;
    return (int64_t)timegm(&end) * 1000;
}

/* --- The authority -------------------------------------------------------------------------------- */

int
pki_authority_new(const char *name, int64_t now_ms, const struct random_port *random,
                  struct pki_pair *ret_authority, struct fault *fault)
{
    CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(X509_freep) X509 *draft = NULL;

    assert(strlen(name) > 0 && strlen(name) <= PKI_NAME_MAX);
    draft = key ? pki_draft(name, key, NULL, random) : NULL;
    if (!draft || !pki_validity_set(draft, now_ms - PKI_DAY_MS, now_ms + PKI_AUTHORITY_MS) ||
        !pki_extensions_add(draft, draft, pki_authority_extensions,
                            ARRAY_LEN(pki_authority_extensions)) ||
        X509_sign(draft, key, EVP_sha256()) <= 0)
        return pki_broke("an authority cannot be made", fault);
    return pki_pair_write(key, draft, ret_authority, fault);
}

/* --- What it signs -------------------------------------------------------------------------------- */

static bool
pki_is_address(const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool
pki_is_dns(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= PKI_DNS_MAX &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-") == len;
}

static int
pki_order_check(const struct pki_order *order, struct fault *fault)
{
    assert(strlen(order->name) > 0 && strlen(order->name) <= PKI_NAME_MAX);
    if (order->role == PKI_CLIENT)
        return 0;
    if (!order->address || !pki_is_address(order->address)) {
        return fault_set(fault, FAULT_INVALID, "pki", "%s is no IP address",
                         order->address ? order->address : "nothing");
    }
    if (order->dns && !pki_is_dns(order->dns))
        return fault_set(fault, FAULT_INVALID, "pki", "%s is no DNS name", order->dns);
    return 0;
}

static bool
pki_role_add(X509 *draft, X509 *issuer, const struct pki_order *order)
{
    bool server = order->role == PKI_SERVER;
    const struct pki_extension usage = { NID_ext_key_usage, server ? "serverAuth" : "clientAuth" };
    char names[PKI_NAMES_SIZE];
    const struct pki_extension alternative = { NID_subject_alt_name, names };

    if (!pki_extension_add(draft, issuer, &usage))
        return false;
    if (!server)
        return true;
    (void)snprintf(names, sizeof(names), "IP:%s%s%s", order->address, order->dns ? ",DNS:" : "",
                   order->dns ? order->dns : "");
    return pki_extension_add(draft, issuer, &alternative);
}

static int
pki_sign(X509 *issuer, EVP_PKEY *issuer_key, const struct pki_order *order,
         const struct random_port *random, struct pki_pair *ret_pair, struct fault *fault)
{
    CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(X509_freep) X509 *draft = key ? pki_draft(order->name, key, issuer, random) : NULL;
    int64_t last_ms = pki_ends_at_ms(issuer);
    int64_t ends_ms = order->now_ms + order->lifetime_ms;

    if (last_ms <= order->now_ms) {
        return fault_set(fault, FAULT_INVALID, "pki", "the pool's authority has ended");
    }
    if (!draft ||
        !pki_validity_set(draft, order->now_ms - PKI_DAY_MS,
                          ends_ms < last_ms ? ends_ms : last_ms) ||
        !pki_extensions_add(draft, issuer, pki_leaf_extensions, ARRAY_LEN(pki_leaf_extensions)) ||
        !pki_role_add(draft, issuer, order) || X509_sign(draft, issuer_key, EVP_sha256()) <= 0)
        return pki_broke("a certificate cannot be made", fault);
    return pki_pair_write(key, draft, ret_pair, fault);
}

int
pki_issue(const struct pki_pair *authority, const struct pki_order *order,
          const struct random_port *random, struct pki_pair *ret_pair, struct fault *fault)
{
    CLEANUP(X509_freep) X509 *issuer = pki_certificate_read(authority->certificate);
    CLEANUP(EVP_PKEY_freep) EVP_PKEY *issuer_key = pki_key_read(authority->key);

    if (pki_order_check(order, fault) < 0)
        return -1;
    if (!issuer || !issuer_key)
        return fault_set(fault, FAULT_INVALID, "pki", "the pool's authority cannot be read");
    return pki_sign(issuer, issuer_key, order, random, ret_pair, fault);
}

int
pki_check(const struct pki_pair *pair, const char *issuer, int64_t *ret_ends_at_ms,
          struct fault *fault)
{
    CLEANUP(X509_freep) X509 *certificate = pki_certificate_read(pair->certificate);
    CLEANUP(X509_freep) X509 *signer = pki_certificate_read(issuer);
    CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = pki_key_read(pair->key);
    const char *wrong = NULL;

    if (!certificate || !signer) {
        wrong = "the certificate is truncated or none";
    } else if (!key) {
        wrong = "the key is truncated or none";
    } else if (X509_check_private_key(certificate, key) != 1) {
        wrong = "the key does not belong to the certificate";
    } else if (X509_verify(certificate, X509_get0_pubkey(signer)) != 1) {
        wrong = "the certificate was signed by another authority";
    }
    ERR_clear_error();
    if (wrong)
        return fault_set(fault, FAULT_INVALID, "pki", "%s", wrong);
    if (ret_ends_at_ms)
        *ret_ends_at_ms = pki_ends_at_ms(certificate);
    return 0;
}
