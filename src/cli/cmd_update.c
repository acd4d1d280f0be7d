/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_update.c - what an update did to each model, and whether to train again. */
#include "cli/cli.h"

#include <string.h>

static double number(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsNumber(v) ? v->valuedouble : 0;
}

static const char *word(const cJSON *o, const char *key)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));
    return s ? s : "";
}

static void show(const cJSON *answer)
{
    const cJSON *m;
    bool out = false;
    double came = number(answer, "events_now") - number(answer, "events_then");
    cli_put_text(stdout, word(answer, "model"), 0);
    printf(": %+.0f training events, %+.0f people, %+.0f items; the rows of %.0f people changed.\n", came,
           number(answer, "people_new"), number(answer, "items_new"), number(answer, "people_changed"));
    printf("  %-14s %-9s %8s %11s %9s %8s %14s\n", "model", "", "seconds", "rows anew", "missing", "at most", "drift");
    cJSON_ArrayForEach(m, cJSON_GetObjectItemCaseSensitive(answer, "models"))
    {
        const char *fate = word(m, "update");
        const cJSON *drift = cJSON_GetObjectItemCaseSensitive(m, "drift");
        printf("  %-14s %-9s %8.2f", word(m, "name"), fate, number(m, "seconds"));
        if (!strcmp(fate, "updated"))
            printf(" %11.0f %8.2f%% %7.1f%%", number(m, "rows_remade"), 100 * number(m, "missing"),
                   100 * number(m, "missing_most"));
        else printf(" %11s %9s %8s", "", "", "");
        if (cJSON_IsNumber(drift))
            printf(" %6.1f%% ± %3.1f%%", 100 * drift->valuedouble, 100 * number(m, "drift_margin"));
        putchar('\n');
        out |= !strcmp(fate, "left out");
    }
    if (out)
        printf("Left out: models of the old catalogue, which cannot take new items in; training again gives them.\n");
    if (number(answer, "judged_now") < 30 || number(answer, "judged_then") < 30)
        printf("Too few people with new events have a held-out choice to measure drift on.\n");
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "refit"))) printf("Train again when you can.\n");
    else printf("There is no need to train again yet.\n");
}

int cmd_update(cli_args *a, tdm_run *run)
{
    tdm_err err = {{0}};
    char *answer = NULL;
    if (!a->out) {
        fprintf(stderr, "tandem update: say with -o FOLDER where the result goes\n");
        return CLI_USAGE;
    }
    tdm_status st = tdm_pipeline_update(&answer, a->words.at[0], a->words.at[1], a->out, run, &err);
    return cli_answer(a, st, answer, show, &err);
}
