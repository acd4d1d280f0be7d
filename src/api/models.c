/* SPDX-License-Identifier: Apache-2.0 */
/* models.c - the list of models as an answer. */
#include "api/answer.h"
#include "api/registry.h"

tdm_status tdm_models_list(char **answer, tdm_err *err)
{
    static const char *const scales[] = {"linear", "log", "integer"};
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; tdm_models[i]; i++) {
        cJSON *m = cJSON_CreateObject();
        cJSON_AddStringToObject(m, "name", tdm_models[i]->name);
        cJSON_AddStringToObject(m, "summary", tdm_models[i]->summary);
        cJSON_AddBoolToObject(m, "optional", tdm_models[i]->optional);
        cJSON *params = cJSON_AddArrayToObject(m, "parameters");
        for (const tdm_param *p = tdm_models[i]->params; p && p->name; p++) {
            cJSON *o = cJSON_CreateObject();
            cJSON_AddStringToObject(o, "name", p->name);
            cJSON_AddNumberToObject(o, "default", p->standard);
            cJSON_AddNumberToObject(o, "low", p->low);
            cJSON_AddNumberToObject(o, "high", p->high);
            cJSON_AddStringToObject(o, "scale", scales[p->scale]);
            cJSON_AddStringToObject(o, "help", p->help);
            if (p->search.to > p->search.from) {
                const double range[] = {p->search.from, p->search.to};
                cJSON_AddItemToObject(o, "search", cJSON_CreateDoubleArray(range, 2));
            }
            cJSON_AddItemToArray(params, o);
        }
        cJSON_AddItemToArray(list, m);
    }
    return tdm_answer(answer, list, err);
}
