/* SPDX-License-Identifier: BSD-2-Clause */
/* self_signed.c: see self_signed.h. Must not know who uses it; blocks, so not for a loop. */
#include "config.h"

#include "net/self_signed.h"

#include "base/endpoint.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DAY_SECONDS 86400L

static int
add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;
    int ok;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ok = e && X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    return ok;
}

/* "*.localhost,127.0.0.1" as OpenSSL writes it: "DNS:*.localhost,IP:127.0.0.1". */
static int
add_names(X509 *x, struct slice hosts)
{
    char text[1024];
    struct slice one;
    struct endpoint e;
    struct buf b;

    buf_init_fixed(&b, text, sizeof(text));
    while (slice_next(&hosts, ',', &one))
        buf_printf(&b, "%s%s:%.*s", b.n > 0 ? "," : "",
                   endpoint_parse(one, &e) == 0 ? "IP" : "DNS", SLICE_ARG(one));
    return !b.full && add_extension(x, NID_subject_alt_name, buf_cstr(&b));
}

static int
fill(X509 *x, EVP_PKEY *key, struct slice hosts)
{
    X509_NAME *name = X509_get_subject_name(x);
    uint64_t serial;

    return RAND_bytes((unsigned char *)&serial, sizeof(serial)) == 1 &&
           X509_set_version(x, 2) &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1) &&
           X509_gmtime_adj(X509_getm_notBefore(x), -DAY_SECONDS) &&
           X509_gmtime_adj(X509_getm_notAfter(x), SELF_SIGNED_DAYS * DAY_SECONDS) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                      (const unsigned char *)"rouse demo", -1, -1, 0) &&
           X509_set_issuer_name(x, name) && X509_set_pubkey(x, key) &&
           add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(x, NID_ext_key_usage, "serverAuth") && add_names(x, hosts) &&
           X509_sign(x, key, EVP_sha256()) > 0;
}

static FILE *
create(char path[PATH_MAX], const char *dir, const char *name, const char *suffix, mode_t mode)
{
    int n = snprintf(path, PATH_MAX, "%s/%s.%s", dir, name, suffix);
    bool fits = n > 0 && n < PATH_MAX;
    int fd = fits ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode) : -1;
    FILE *f = fd == -1 ? NULL : fdopen(fd, "w");

    if (!f && fd != -1)
        close(fd);
    return f;
}

static int
write_pair(const char *dir, const char *name, X509 *x, EVP_PKEY *key, struct buf *why)
{
    char crt[PATH_MAX], pem[PATH_MAX];
    FILE *f = create(crt, dir, name, "crt", 0644), *k = create(pem, dir, name, "key", 0600);
    bool ok = f && k && PEM_write_X509(f, x) &&
              PEM_write_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL);

    if (f && fclose(f) != 0)
        ok = false;
    if (k && fclose(k) != 0)
        ok = false;
    if (ok)
        return 0;
    buf_printf(why, "cannot write %s and its key: %s", crt, strerror(errno));
    unlink(crt);
    unlink(pem);
    return -1;
}

int
self_signed_write(const char *dir, const char *name, struct slice hosts, struct buf *why)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    int rc = -1;

    if (!key || !x || !fill(x, key, hosts))
        buf_add_str(why, "cannot make a certificate: out of memory or randomness");
    else
        rc = write_pair(dir, name, x, key, why);
    ERR_clear_error();
    X509_free(x);
    EVP_PKEY_free(key);
    return rc;
}
