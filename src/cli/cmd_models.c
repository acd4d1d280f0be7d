/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_models.c - the models and what each can be set to. */
#include "cli/cli.h"

static void show(const cJSON *models)
{
    const cJSON *m, *p;
    cJSON_ArrayForEach(m, models)
    {
        bool optional = cJSON_IsTrue(cJSON_GetObjectItem(m, "optional"));
        printf("%s: %s%s\n", cJSON_GetObjectItem(m, "name")->valuestring,
               cJSON_GetObjectItem(m, "summary")->valuestring, optional ? " (only where --models names it)" : "");
        cJSON_ArrayForEach(p, cJSON_GetObjectItem(m, "parameters"))
        {
            const cJSON *search = cJSON_GetObjectItem(p, "search");
            printf("    %-18s %-10.6g (%g to %g)  %s", cJSON_GetObjectItem(p, "name")->valuestring,
                   cJSON_GetObjectItem(p, "default")->valuedouble, cJSON_GetObjectItem(p, "low")->valuedouble,
                   cJSON_GetObjectItem(p, "high")->valuedouble, cJSON_GetObjectItem(p, "help")->valuestring);
            if (search)
                printf(" [tune: %g to %g]", cJSON_GetArrayItem(search, 0)->valuedouble,
                       cJSON_GetArrayItem(search, 1)->valuedouble);
            printf("\n");
        }
    }
}

int cmd_models(cli_args *a, tdm_run *run)
{
    (void)run;
    tdm_err err = {{0}};
    char *answer = NULL;
    tdm_status st = tdm_models_list(&answer, &err);
    return cli_answer(a, st, answer, show, &err);
}
