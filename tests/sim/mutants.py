"""Planted bugs: each is one change to one file, and a simulation built with that file must find it.

  mutants.py list                       NAME and FILE of each, a line each
  mutants.py write NAME SOURCE OUT      FILE with its change
  mutants.py run FOLDER                 the programs sim_NAME in FOLDER: each must break its invariant
"""
import collections
import pathlib
import re
import subprocess
import sys

SEEDS, TURNS, TIMEOUT_S = 150, 3000, 300

Mutant = collections.namedtuple("Mutant", "name file old new finds")

MUTANTS = [
    # What is not ours.
    Mutant("lists_strangers", "tests/support/fake_machine.c",
           "if (strcmp(c->cluster, cluster) != 0)", "if (!cluster)", "3 what is not ours"),
    # Reservations.
    Mutant("overfills", "src/domain/placement.c",
           "host->capacity.memory_bytes - host->reserved.memory_bytes,",
           "host->capacity.memory_bytes - host->reserved.memory_bytes / 2,", "4 reservations stay"),
    Mutant("miscounts", "src/domain/model_host.c",
           "host->reserved.cpus_milli += sign * amount.cpus_milli;",
           "host->reserved.cpus_milli += sign > 0 ? amount.cpus_milli : 0;", "4 reservations are sums"),
    # Containers.
    Mutant("runs_twice", "tests/support/fake_docker.c",
           "    c = fake_machine_find(machine, call->name);\n    if (call->verb == DOCKER_REMOVE",
           """    struct fake_machine *first = CONTAINER_OF(list_first(&fake->machines), struct fake_machine, node);
    if (call->verb == DOCKER_START && !fake_machine_find(first, call->name))
        fake_machine_add(first, call->name, cluster)->seen.state = DOCKER_RUNNING;
    c = fake_machine_find(machine, call->name);
    if (call->verb == DOCKER_REMOVE""", "5 one container"),
    Mutant("keeps_orphans", "src/engine/compare.c",
           "        lane_submit(host->lane, &removal->op);", "        free(removal);", "11 no container is orphaned"),
    Mutant("ends_the_wanted", "src/engine/compare.c",
           "    if (instance && instance->host == host &&\n        (int64_t)instance->generation ==",
           "    if (instance && instance->host == host &&\n        (int64_t)instance->generation + 1 ==",
           "(8|9|15) "),
    # The disk.
    Mutant("loses_a_commit", "tests/support/fake_store.c",
           "commit->rows = fake_store_data_apply(&fake->data, waiting->batch);",
           "commit->rows = fake->done % 50 == 49 ? 0 : fake_store_data_apply(&fake->data, waiting->batch);",
           "[78] "),
    Mutant("speaks_too_early", "src/engine/turn.c",
           "    if (engine->commits_in_flight > 0) {\n        uint32_t last",
           "    if (engine->commits_in_flight > 1) {\n        uint32_t last", "7 "),
    # States.
    Mutant("leaves_the_edges", "src/domain/model_host.c",
           "    host->state = (int32_t)to;",
           "    host->state = (int32_t)(from == HOST_INACTIVE && host->uses == 0 && to == HOST_ACTIVE ? HOST_SPAWNED : to);",
           "8 states move"),
    # Blame.
    Mutant("blames_another", "src/engine/trust.c",
           "    score_add(&lane->host->score, fault->kind, state_now_ms(lane->engine));",
           "    struct host *other = idmap_after(&lane->engine->model->hosts, 0, &(int64_t){ 0 });\n"
           "    score_add(&other->score, fault->kind, state_now_ms(lane->engine));", "9 a score"),
    # Work that stops.
    Mutant("jams_its_lane", "src/engine/lane.c",
           "        lane->work->queues[op->share].running--;",
           "        lane->work->queues[op->share].running -= !fault;", "1[35] "),
    Mutant("never_looks_again", "src/engine/join.c",
           "Plans the next look: soon and ever later while it is broken. */\nstatic void\njoin_plan(struct lane *lane, const struct fault *fault)\n{",
           "Never. */\nstatic void\njoin_plan(struct lane *lane, const struct fault *fault)\n{\n    if (fault)\n        return;",
           "1[35] "),
    # Rented machines.
    Mutant("forgets_tokens", "tests/support/fake_provider.c",
           "if (vm->launched_mono_ms > since &&", "if (vm->launched_mono_ms > since + FAKE_CLOUD_TOKEN_MS &&", "1 one machine"),
    Mutant("token_of_the_moment", "src/engine/spawn.c",
           "(long long)host->machine->attempt, host->machine->type);",
           "(long long)state_mono_ms(rental->engine), host->machine->type);", "1 one machine"),
    Mutant("rents_too_early", "src/engine/rental.c",
           "    if (!rental->rested) {", "    if (!rental->rested && rental->host->machine->stage != MACHINE_INTENT) {",
           "7 a call rests"),
    Mutant("keeps_machines", "tests/support/fake_provider.c",
           "        fake_vm_terminate(vm);", "        vm->life.stop_ms = 0;", "(2|15) "),
    Mutant("believes_half_a_listing", "src/engine/inventory.c",
           "    if (!list->complete)\n        return;", "", "11 a removed host"),
    Mutant("lists_aliens", "tests/support/fake_provider.c",
           "bool ours = strcmp(vm->cluster, ask->cluster) == 0 &&", "bool ours = vm->cluster[0] == '\\0' ||",
           "3 what is not ours"),
    Mutant("believes_one_listing", "src/engine/inventory.c",
           "++machine->strikes >= INVENTORY_STRIKES", "++machine->strikes >= 1", "(11|15) "),
    Mutant("ends_the_unfound", "src/engine/inventory.c",
           "(rental->asked && machine->id && rental->shown)", "(rental->asked && machine->id)", "(11|2) "),
    Mutant("trusts_tags", "src/engine/inventory.c",
           "rental = inventory_by_id(engine, seen->id);", "rental = NULL;", "(8|11) "),
    Mutant("leaves_the_stopped", "src/engine/inventory.c",
           'retire_lost(rental, "it was stopped', 'retire_gone(rental, "it was stopped', "11 a removed host"),
    Mutant("asks_too_late", "src/engine/spawn.c",
           "SPAWN_TOKEN_MS = 3600000", "SPAWN_TOKEN_MS = 2147483647", "1 one machine"),
    # Limits, and why somebody waits.
    Mutant("launches_without_limit", "src/domain/policy_grow.c",
           "launches >= policy->launches_per_hour)", "launches >= policy->launches_per_hour * 8)", "10 launches"),
    Mutant("forgets_its_launches", "src/engine/rental.c",
           "        if (age_ms < MIND_HOUR_MS && ", "        if (age_ms < 0 && ", "10 launches"),
    Mutant("spends_without_limit", "src/domain/policy_grow.c",
           "budget == 0 || all <= budget", "budget >= 0", "10 launches"),
    Mutant("forgets_what_it_spent", "src/engine/retire.c",
           "        pool->spent_micro, cost_of_micro(", "        0, cost_of_micro(", "10 money"),
    Mutant("sees_no_demand", "src/engine/outlook.c",
           "        if (instance->retry_at_ms > now_ms)", "        if (instance->retry_at_ms >= 0 || now_ms < 0)",
           "15 a fixed point"),
    # Answers.
    Mutant("answers_not", "src/engine/turn.c",
           "    slot->last_seq = engine->model->last_seq;",
           "    slot->last_seq = engine->model->last_seq;\n    if (engine->waits.count > 1)\n        (void)list_pop_last(&engine->waits);",
           "1[345] |a stop ends"),
]


def find(name):
    return next(mutant for mutant in MUTANTS if mutant.name == name)


def write(name, source, out):
    """A text that is no longer there leaves the file as it is: the test tells, the build goes on."""
    mutant = find(name)
    text = pathlib.Path(source, mutant.file).read_text()
    pathlib.Path(out).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(out).write_text(text.replace(mutant.old, mutant.new, 1))


def run(folder):
    missed = 0
    for mutant in MUTANTS:
        command = [str(pathlib.Path(folder, "sim_" + mutant.name)), "--seeds", str(SEEDS), "--turns", str(TURNS)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S, check=False)
        found = re.search(r"^seed (\d+), turn (\d+): (.*)", done.stderr, re.M)
        said = found[3] if found else f"status {done.returncode}: {done.stderr[-300:]}"
        caught = bool(found and re.match(mutant.finds, said))
        missed += not caught
        print(f"{'found ' if caught else 'MISSED'} {mutant.name} ({mutant.file}): {said[:150]}", flush=True)
        if not caught and done.returncode == 0:
            print("       is its text still in the file? tests/sim/mutants.py says what it changes")
    return missed


def main():
    what, *args = sys.argv[1:]
    if what == "list":
        for mutant in MUTANTS:
            print(mutant.name, mutant.file)
        return 0
    if what == "write":
        write(*args)
        return 0
    missed = run(*args)
    print(f"{len(MUTANTS) - missed} of {len(MUTANTS)} planted bugs were found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
