#include "support/fake_pki.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "berth/base/mem.h"

struct fake_pki {
    char *folder;
    EVP_PKEY *key;
    X509 *certificate;
};

enum { FAKE_PKI_LIFETIME_S = 86400 };

static void
fake_pki_write(const struct fake_pki *pki, const char *name, EVP_PKEY *key, X509 *certificate)
{
    CLEANUP(mem_freep) char *key_path = mem_printf("%s/%s.key", pki->folder, name);
    CLEANUP(mem_freep) char *certificate_path = mem_printf("%s/%s.pem", pki->folder, name);
    FILE *file = fopen(key_path, "we");
    int good;

    assert(file);
    good = PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    assert(good && fclose(file) == 0);
    file = fopen(certificate_path, "we");
    assert(file);
    good = PEM_write_X509(file, certificate);
    assert(good && fclose(file) == 0);
}

static void
fake_pki_extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert(extension);
    (void)X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

static X509 *
fake_pki_mint(const struct fake_pki *pki, const char *name, EVP_PKEY *key, const char *names)
{
    static long serial = 1;
    X509 *certificate = X509_new();
    X509 *issuer = pki->certificate ? pki->certificate : certificate;
    X509_NAME *subject = X509_get_subject_name(certificate);
    int good;

    good = X509_set_version(certificate, X509_VERSION_3) &&
           ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++) &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                      -1, 0) &&
           X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -60) &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), FAKE_PKI_LIFETIME_S) &&
           X509_set_pubkey(certificate, key);
    assert(good);
    fake_pki_extend(certificate, issuer, NID_basic_constraints,
                    names ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (names)
        fake_pki_extend(certificate, issuer, NID_subject_alt_name, names);
    good = X509_sign(certificate, pki->key, EVP_sha256());
    assert(good > 0);
    return certificate;
}

struct fake_pki *
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): a name is no folder: the first test would fail. */
fake_pki_new(const char *folder, const char *name)
{
    struct fake_pki *pki = mem_new0(sizeof(*pki));

    pki->folder = mem_strdup(folder);
    pki->key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    assert(pki->key);
    pki->certificate = fake_pki_mint(pki, name, pki->key, NULL);
    fake_pki_write(pki, name, pki->key, pki->certificate);
    return pki;
}

void
fake_pki_free(struct fake_pki *pki)
{
    if (!pki)
        return;
    X509_free(pki->certificate);
    EVP_PKEY_free(pki->key);
    mem_free(pki->folder);
    mem_free(pki);
}

void
fake_pki_issue(struct fake_pki *pki, const char *name, const char *names)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *certificate;

    assert(key);
    certificate = fake_pki_mint(pki, name, key, names);
    fake_pki_write(pki, name, key, certificate);
    X509_free(certificate);
    EVP_PKEY_free(key);
}
