/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_forget.c - what was removed, and what models still hold. */
#include "cli/cli.h"

static double number(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsNumber(v) ? v->valuedouble : 0;
}

static void put(const cJSON *o, const char *key)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));
    cli_put_text(stdout, s ? s : "", 0);
}

static void put_model(const cJSON *answer, const cJSON *model)
{
    const cJSON *h, *holds = cJSON_GetObjectItemCaseSensitive(model, "holds");
    put(model, "folder");
    if (!cJSON_GetArraySize(holds)) {
        printf(" holds nothing of them.\n");
        return;
    }
    printf(" was trained on %.0f interactions of theirs and still holds\n", number(model, "interactions"));
    cJSON_ArrayForEach(h, holds)
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(h, "name"));
        printf("  %-14s ", name ? name : "");
        put(h, "holds");
        printf(" (");
        put(h, "path");
        printf(")\n");
    }
    printf("  Training again removes it: tandem train ");
    put(answer, "dataset");
    printf(" -o ");
    put(model, "folder");
    printf("; and tandem evaluate ");
    put(model, "folder");
    printf(" writes its report anew.\n");
}

static void show(const cJSON *answer)
{
    const cJSON *v;
    double removed = number(answer, "removed");
    put(answer, "user");
    if (removed > 0) printf(" was removed from ");
    else printf(" is not in ");
    put(answer, "dataset");
    if (removed > 0) printf(" with %.0f %s", removed, removed == 1 ? "interaction" : "interactions");
    printf("; %.0f people and %.0f interactions are left.\n", number(answer, "users"), number(answer, "interactions"));
    if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(answer, "other_files"))) {
        printf("Not looked into: ");
        cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(answer, "other_files"))
        {
            cli_put_text(stdout, v->valuestring, 0);
            printf(v->next ? ", " : ".\n");
        }
    }
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(answer, "models")) put_model(answer, v);
}

int cmd_forget(cli_args *a, tdm_run *run)
{
    tdm_err err = {{0}};
    char *answer = NULL;
    if (!a->q.user) {
        fprintf(stderr, "tandem forget: say whom: --user ID\n");
        return CLI_USAGE;
    }
    tdm_status st = tdm_forget(&answer, a->words.at[0], a->q.user, a->words.at + 1, a->words.n - 1, run, &err);
    return cli_answer(a, st, answer, show, &err);
}
