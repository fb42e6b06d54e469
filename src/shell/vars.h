#pragma once

/*
 * The variables of one run, from what wins to what loses: the loop's item, those that were given to the
 * run, what tasks registered and set, the task's own, the play's own, facts.  Those that a playbook has
 * may hold {{ }} and are made when they are asked for; all others are as they are.
 */

#include "playbook_data.h"

struct vars {
    struct jinja_scope scope;
    json_t *locals;      /* owned: item */
    const json_t *given; /* NULL: none */
    json_t *results;     /* owned */
    const struct playbook_task *task;
    const struct playbook_play *play;
    json_t *facts; /* owned */
    size_t depth;  /* of variables that are made of others */
};

void vars_init(struct vars *vars, const json_t *given, const char *host);
void vars_fini(struct vars *vars);

/** vars_render() - @value with all texts in it made. Return: 0 and *ret_value owned, or -1. */
int vars_render(struct vars *vars, const json_t *value, json_t **ret_value, struct fault *fault);

/** vars_test() - whether all conditions are true. Return: 0, or -1. */
int vars_test(struct vars *vars, const struct playbook_conditions *conditions, bool *ret_is_true,
              struct fault *fault);
