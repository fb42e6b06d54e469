#pragma once

/*
 * The key pair of a pool: berthd's own public key, known to EC2 by a name of cluster and pool, so that
 * machines of any image let it in by the provider's own means.  Imported once, with our tags; replaced when
 * it is another key; deleted at the pool's end.  A key pair without the cluster's and the pool's tag is
 * never changed.
 *
 *   look for it by its name -> [delete another key] -> [import it]
 *   at the end: look for it by our tags -> [delete it] -> look again
 */

#include "ec2_ask.h"
#include "ec2_launch.h"

enum { EC2_KEYPAIR_ID_SIZE = 64, EC2_FINGERPRINT_SIZE = 48 };

enum ec2_keypair_step {
    EC2_KEYPAIR_FIND,
    EC2_KEYPAIR_IMPORT,
    EC2_KEYPAIR_DELETE,
    EC2_KEYPAIR_STEP_COUNT,
};

/* Embed it. */
struct ec2_keypair {
    /* In; borrowed until done. */
    struct ec2_account *account;
    const char *cluster_id;
    const char *pool_name;
    const char *public_key; /* "ssh-ed25519 AAAA..."; NULL with @end */
    int64_t deadline_mono_ms;
    bool end; /* it is to be deleted, not made */
    /* Exactly once, from the loop, never from inside _start(); last touch.  FAULT_CLOUD_*,
     * FAULT_CANCELLED. */
    void (*done)(struct ec2_keypair *keypair, const struct fault *fault);
    /* Out. */
    char name[EC2_KEY_NAME_SIZE];
    char gone[EC2_KEYPAIR_ID_SIZE]; /* the last that was deleted; "": none */

    /* Its own. */
    enum ec2_keypair_step step;
    struct ec2_ask ask;
    struct clock_timer timer; /* before it is looked for again */
    char id[EC2_KEYPAIR_ID_SIZE];
    uint32_t rounds;
    bool asking;
    bool cancelled;
};

void ec2_keypair_start(struct ec2_keypair *keypair);
void ec2_keypair_cancel(struct ec2_keypair *keypair);

/** ec2_keypair_name() - by which a pool's key pair is known: "berth-CLUSTER-POOL". */
void ec2_keypair_name(const char *cluster_id, const char *pool_name,
                      char ret_name[EC2_KEY_NAME_SIZE]);
/** ec2_keypair_encode_find() - the parameters of DescribeKeyPairs by name; one that is not there is no error. */
void ec2_keypair_encode_find(const char *name, struct ec2_query *query);
/** ec2_keypair_encode_import() - the parameters of ImportKeyPair. */
void ec2_keypair_encode_import(const struct ec2_keypair *keypair, struct ec2_query *query);
/** ec2_keypair_fingerprint() - as EC2 shows it for a key of the type ed25519: the base64 of the SHA-256.
 * Return: false when that is no public key. */
bool ec2_keypair_fingerprint(const char *public_key, char ret_text[EC2_FINGERPRINT_SIZE]);
