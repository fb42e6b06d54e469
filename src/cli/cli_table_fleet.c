/* The table of commands: blueprints, hosts, pools, routes, images. */

#include "berth/cli/table.h"

#include "cmd.h"

/* clang-format off */
static const struct cli_arg blueprint_one[] = {
    { "BLUEPRINT", CLI_ONE, CLI_WORDS_BLUEPRINT, NULL, "Name of the blueprint." },
    { .name = NULL },
};

static const struct cli_arg blueprint_some[] = {
    { "BLUEPRINT", CLI_SOME, CLI_WORDS_BLUEPRINT, NULL, "Names of blueprints." },
    { .name = NULL },
};

static const struct cli_flag apply_flags[] = {
    { .name = "file", .letter = 'f', .type = CLI_TEXT, .repeats = true, .words = CLI_WORDS_FILE, .value = "FILE",
      .doc = "YAML (one or more documents) or JSON (an object or a list); - is standard input." },
    { .name = NULL },
};

static const struct cli_arg host_one[] = {
    { "HOST", CLI_ONE, CLI_WORDS_HOST, NULL, "Id or name of the host." },
    { .name = NULL },
};

static const struct cli_arg host_some[] = {
    { "HOST", CLI_SOME, CLI_WORDS_HOST, NULL, "Ids or names of hosts." },
    { .name = NULL },
};

static const struct cli_arg host_new[] = {
    { "NAME", CLI_ONE, CLI_WORDS_NONE, NULL, "Its name in the pool." },
    { .name = NULL },
};

static const struct cli_flag host_add_flags[] = {
    { .name = "engine", .type = CLI_TEXT, .value = "URL", .doc = "Address of its Docker engine: tcp://10.0.0.5:2376 or unix:///run/docker.sock." },
    { .name = "ssh", .type = CLI_TEXT, .value = "USER@ADDRESS[:PORT]", .doc = "Of a bare machine that the pool's playbook makes a host." },
    { .name = "host-key", .type = CLI_TEXT, .value = "KEY", .doc = "With --ssh: its host key, 'ssh-ed25519 AAAA...'; else that of your known_hosts." },
    { .name = "pool", .type = CLI_TEXT, .words = CLI_WORDS_POOL, .value = "POOL", .fallback = "default", .doc = "The pool it joins." },
    { .name = "ca", .type = CLI_TEXT, .words = CLI_WORDS_FILE, .value = "FILE", .doc = "On the daemon's machine: certificate of the authority (PEM)." },
    { .name = "cert", .type = CLI_TEXT, .words = CLI_WORDS_FILE, .value = "FILE", .doc = "On the daemon's machine: our certificate (PEM)." },
    { .name = "key", .type = CLI_TEXT, .words = CLI_WORDS_FILE, .value = "FILE", .doc = "On the daemon's machine: our certificate's key (PEM)." },
    { .name = "plain", .type = CLI_SWITCH, .doc = "Allow tcp without TLS: whoever reaches that port owns the machine." },
    { .name = "label", .type = CLI_PAIR, .repeats = true, .value = "KEY=VALUE", .doc = "A label that blueprints may ask for." },
    { .name = NULL },
};

static const struct cli_flag host_drain_flags[] = {
    { .name = "deadline", .type = CLI_DURATION, .value = "DURATION", .doc = "After so long what still runs there is stopped; the pool's when not given." },
    { .name = NULL },
};

static const struct cli_flag host_rm_flags[] = {
    { .name = "force", .type = CLI_SWITCH, .doc = "At once: what runs there is given up." },
    { .name = NULL },
};

static const struct cli_flag host_log_flags[] = {
    { .name = "follow", .letter = 'f', .type = CLI_SWITCH, .doc = "Print steps as they end, until the host is prepared or given up." },
    { .name = "run", .type = CLI_NUMBER, .value = "N", .min = 1, .max = 1000000, .doc = "Only this run of the playbook." },
    { .name = "failed", .type = CLI_SWITCH, .doc = "Only steps that failed." },
    { .name = NULL },
};

static const struct cli_flag inventory_flags[] = {
    { .name = "list", .type = CLI_SWITCH, .doc = "All hosts and groups, as without it: what Ansible asks with." },
    { .name = "host", .type = CLI_TEXT, .words = CLI_WORDS_HOST, .value = "HOST", .doc = "The variables of this host only." },
    { .name = "pool", .type = CLI_TEXT, .words = CLI_WORDS_POOL, .value = "POOL", .doc = "Only hosts of this pool." },
    { .name = "user", .type = CLI_TEXT, .value = "USER", .doc = "Who Ansible logs in as, where the daemon does not know or somebody else is to." },
    { .name = NULL },
};

static const struct cli_arg pool_one[] = {
    { "POOL", CLI_ONE, CLI_WORDS_POOL, NULL, "Name of the pool." },
    { .name = NULL },
};

static const struct cli_arg pool_set_args[] = {
    { "POOL", CLI_ONE, CLI_WORDS_POOL, NULL, "Name of the pool." },
    { "KEY=VALUE", CLI_ANY, CLI_WORDS_NONE, NULL, "A member of its policy, nested ones with dots; an empty value takes the default." },
    { .name = NULL },
};

static const struct cli_flag pool_set_flags[] = {
    { .name = "file", .letter = 'f', .type = CLI_TEXT, .words = CLI_WORDS_FILE, .value = "FILE", .doc = "A whole policy, YAML or JSON; - is standard input." },
    { .name = NULL },
};

static const struct cli_flag pool_plan_flags[] = {
    { .name = "rounds", .type = CLI_NUMBER, .value = "N", .fallback = "5", .min = 1, .max = 10, .doc = "How many rounds to look ahead." },
    { .name = "apply", .type = CLI_SWITCH, .doc = "Carry out the first round now." },
    { .name = NULL },
};

static const struct cli_flag image_pool[] = {
    { .name = "pool", .type = CLI_TEXT, .words = CLI_WORDS_POOL, .value = "POOL", .fallback = "default", .doc = "The pool." },
    { .name = NULL },
};

static const struct cli_flag pool_shutdown_flags[] = {
    { .name = "deadline", .type = CLI_DURATION, .value = "DURATION", .doc = "After so long what still runs is stopped; the pool's drain_deadline when not given." },
    { .name = NULL },
};

static const struct cli_arg pool_any[] = {
    { "POOL", CLI_MAYBE_ONE, CLI_WORDS_POOL, NULL, "Name of the pool; all when not given." },
    { .name = NULL },
};

static const struct cli_arg pool_maybe[] = {
    { "POOL", CLI_MAYBE_ONE, CLI_WORDS_POOL, NULL, "Name of the pool; all that rent machines when not given." },
    { .name = NULL },
};

static const struct cli_flag pool_orphans_flags[] = {
    { .name = "terminate", .type = CLI_TEXT, .repeats = true, .value = "MACHINE", .doc = "End this one, after a question." },
    { .name = "all", .type = CLI_SWITCH, .doc = "End all that are listed and old enough, after a question." },
    { .name = NULL },
};

static const struct cli_arg image_file[] = {
    { "FILE", CLI_ONE, CLI_WORDS_FILE, NULL, "An archive as 'docker save' writes it; - is standard input." },
    { .name = NULL },
};

static const struct cli_arg image_name[] = {
    { "IMAGE", CLI_ONE, CLI_WORDS_NONE, NULL, "Name of the image, as for 'docker pull'." },
    { .name = NULL },
};

const struct cli_command cli_table_fleet[] = {
    { "blueprint ls", "List blueprints", NULL, "berth blueprint ls",
      NULL, NULL, NULL, CLI_SET_OUTPUT | CLI_SET_LIST | CLI_SET_WATCH, false, cmd_blueprint_ls },
    { "blueprint show", "Show all of a blueprint", "With -o yaml in a form that 'berth blueprint apply' takes.",
      "berth blueprint show notebook -o yaml > notebook.yaml",
      NULL, blueprint_one, NULL, CLI_SET_OUTPUT, false, cmd_blueprint_show },
    { "blueprint apply", "Create or change blueprints",
      "Each change makes a new version; what is the same stays. Sizes may be written like 512m, durations like 1h. "
      "With --dry-run they are only checked and compared with what is there.",
      "berth blueprint apply -f notebook.yaml\ncat *.yaml | berth blueprint apply -f - --dry-run",
      NULL, NULL, apply_flags, CLI_SET_OUTPUT | CLI_SET_DRY_RUN, false, cmd_blueprint_apply },
    { "blueprint rm", "Remove blueprints", "What runs from them goes on.", "berth blueprint rm notebook --yes",
      NULL, blueprint_some, NULL, CLI_SET_DRY_RUN, false, cmd_blueprint_rm },
    { "host ls", "List hosts", NULL, "berth host ls -o wide\nberth host ls --filter pool=default --filter state=active",
      "pool state", NULL, NULL, CLI_SET_OUTPUT | CLI_SET_LIST | CLI_SET_WATCH, false, cmd_host_ls },
    { "host show", "Show all about a host", "Its newest events follow: faults, canary containers, probation.", "berth host show h-01h7q2m8k3v9a",
      NULL, host_one, NULL, CLI_SET_OUTPUT, false, cmd_host_show },
    { "host add", "Add a machine",
      "With --engine one that runs an engine: it is reached with mutual TLS; the files lie on the daemon's machine. With --ssh a "
      "bare machine, Debian or Ubuntu: the pool's playbook makes it a host. Its user must be root or may use sudo without a "
      "password, and have authorised the key that 'berth pool ssh-key' prints. The machine must show the named host key. "
      "'berth host rm' empties such a host and forgets it; nothing is undone on the machine.",
      "berth host add rack2 --ssh debian@10.0.0.6 --wait=15m\nberth host add rack1 --engine tcp://10.0.0.5:2376 --ca /etc/berth/ca.pem --cert /etc/berth/cert.pem --key /etc/berth/key.pem",
      NULL, host_new, host_add_flags, CLI_SET_OUTPUT | CLI_SET_WAIT | CLI_SET_DRY_RUN, false, cmd_host_add },
    { "host drain", "Let hosts run empty", "They take nothing new; at the deadline what still runs is stopped and started elsewhere as its policy says.",
      "berth host drain rack1 --deadline 30m --wait",
      NULL, host_some, host_drain_flags, CLI_SET_OUTPUT | CLI_SET_WAIT | CLI_SET_DRY_RUN, false, cmd_host_drain },
    { "host activate", "Let hosts take work again", NULL, "berth host activate rack1",
      NULL, host_some, NULL, CLI_SET_OUTPUT | CLI_SET_DRY_RUN, false, cmd_host_activate },
    { "host rm", "Remove hosts", "A host is drained first, unless with --force.", "berth host rm rack1 --yes --wait",
      NULL, host_some, host_rm_flags, CLI_SET_OUTPUT | CLI_SET_WAIT | CLI_SET_DRY_RUN, false, cmd_host_rm },
    { "host log", "Print a host's preparation, step by step",
      "Each run of the playbook with its steps: how each ended, how long it took, and what those wrote that failed; with -o wide "
      "what all wrote. -f goes on until the host is prepared (exit code 0) or given up (exit code 1).",
      "berth host log default-3 -f\nberth host log default-3 --failed",
      NULL, host_one, host_log_flags, CLI_SET_OUTPUT, false, cmd_host_log },
    { "inventory", "Print the hosts as Ansible's inventory",
      "Hosts with an address that are not removed, in the groups pool_NAME, state_STATE, type_MACHINE_TYPE and label_KEY_VALUE (what "
      "is no letter or digit becomes _). A script of two lines makes it an inventory: '#!/bin/sh' and "
      "'exec berth inventory --user admin \"$@\"'; then ansible -i ./berth.sh pool_default -m ping. Machines that show a known "
      "host key have it in berth_known_hosts, a line for a known_hosts file.",
      "berth inventory\nberth inventory --host rack1",
      NULL, NULL, inventory_flags, 0, false, cmd_inventory_inventory },
    { "pool ls", "List pools", NULL, "berth pool ls",
      NULL, NULL, NULL, CLI_SET_OUTPUT | CLI_SET_LIST | CLI_SET_WATCH, false, cmd_pool_ls },
    { "pool show", "Show all about a pool", NULL, "berth pool show default",
      NULL, pool_one, NULL, CLI_SET_OUTPUT, false, cmd_pool_show },
    { "pool plan", "Show what the next rounds would do, and why",
      "Nothing is changed. Each action has its reason; below stands what the provider refuses, what holds back growth, and what helps. With --apply "
      "the first round is carried out at once, after a question; when the pool has moved since the plan was made, nothing is "
      "done and the exit code is 5.",
      "berth pool plan default\nberth pool plan default --apply",
      NULL, pool_one, pool_plan_flags, CLI_SET_OUTPUT, false, cmd_plan_plan },
    { "pool ssh-key", "Print the key to be authorised on machines that are added by SSH", NULL,
      "berth pool ssh-key | ssh debian@10.0.0.6 'cat >> .ssh/authorized_keys'",
      NULL, NULL, NULL, CLI_SET_OUTPUT, false, cmd_given_ssh_key },
    { "pool drift", "List hosts that another playbook than today's has prepared",
      "By default they are left alone; 'berth pool set POOL playbook_drift=rerun' has the playbook run on them again, one at a "
      "time, while they serve; playbook_drift=replace retires them, one at a time.",
      "berth pool drift",
      NULL, pool_any, NULL, CLI_SET_OUTPUT, false, cmd_drift_drift },
    { "pool orphans", "List the machines that cost and that no host is on",
      "The provider is asked now for what carries the cluster's tag. What has no host is given back by itself after a minute, "
      "unless it is too much at once, or the database is a backup that is still being compared. With --terminate or --all it "
      "is ended by your word: make sure before that no other daemon with the same database runs them.",
      "berth pool orphans\nberth pool orphans rent --terminate i-0123456789abcdef0\nberth pool orphans rent --all",
      NULL, pool_maybe, pool_orphans_flags, CLI_SET_OUTPUT | CLI_SET_DRY_RUN, false, cmd_orphans_orphans },
    { "pool shutdown", "Empty a pool, give its machines back, and prove that none is left",
      "Its hosts take nothing new; what still runs at the deadline is stopped. It ends when two complete listings of the "
      "provider's show no machine with the cluster's tag: that proof is printed with --wait, and stands in the operation; "
      "what Berth made for the pool there beside machines (a security group, a key pair) is deleted with it. It goes on over a restart; asked for again, it takes the new deadline. The pool stays shut down, whatever the daemon's "
      "configuration says, until 'berth pool set POOL shutdown=false', which also takes back hosts that are still there.",
      "berth pool shutdown rent --deadline 30m --wait=2h",
      NULL, pool_one, pool_shutdown_flags, CLI_SET_OUTPUT | CLI_SET_WAIT | CLI_SET_DRY_RUN, false, cmd_shutdown_shutdown },
    { "pool set", "Change a pool's policy", "Members that are not named stay; 'berth pool show POOL' has all. Sizes may be written like 512m, durations like 1h. A pool "
      "that is not there is made, after a question: its machines are added by hand, one that rents them begins in the daemon's "
      "configuration. Of a pool that the configuration names, the policy is what the file says from the next start or reload on.",
      "berth pool set default overcommit.memory=1.5 drain_deadline_s=10m",
      NULL, pool_set_args, pool_set_flags, CLI_SET_OUTPUT | CLI_SET_DRY_RUN, false, cmd_pool_set },
    { "route ls", "List routes", NULL, "berth route ls",
      NULL, NULL, NULL, CLI_SET_OUTPUT | CLI_SET_LIST, false, cmd_pool_routes },
    { "image ls", "List the images of a pool", NULL, "berth image ls --pool default",
      NULL, NULL, image_pool, CLI_SET_OUTPUT | CLI_SET_LIST, false, cmd_image_ls },
    { "image load", "Load an archive into every host of a pool", "Hosts that join later get it, too.",
      "docker save demo:1 > demo.tar && berth image load demo.tar --pool default --wait",
      NULL, image_file, image_pool, CLI_SET_OUTPUT | CLI_SET_WAIT, false, cmd_image_load },
    { "image pull", "Pull an image on every host of a pool", NULL, "berth image pull registry.example.org/demo:1 --wait",
      NULL, image_name, image_pool, CLI_SET_OUTPUT | CLI_SET_WAIT, false, cmd_image_pull },
    { .path = NULL },
};
/* clang-format on */
