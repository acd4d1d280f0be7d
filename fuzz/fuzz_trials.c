/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_trials.c - any bytes as the file of a search. What is taken must be found again by its number, hold settings
 * inside what the table allows, and be told without harm. */
#include "base/mem.h"
#include "tune/told.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const tdm_param table[] = {{"a", 0.5, 0, 1, TDM_LINEAR, "", {0, 1}}, {"b", 1, 0, 9, TDM_LOG, "", {0.1, 9}}, {0}};
static const tdm_model_ops toy = {.name = "toy", .params = table};

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    tdm_trials t;
    tdm_params set = tdm_params_standard(table);
    const cJSON *line;
    if (tdm_trials_read(&t, "f", p, n, NULL)) return 0;
    cJSON_ArrayForEach(line, t.lines)
    {
        tdm_trial_settings(&set, line);
        for (size_t i = 0; table[i].name; i++)
            if (!(set.value[i] >= table[i].low && set.value[i] <= table[i].high)) abort();
        for (size_t k = 0; !isnan(tdm_trial_judged(line, k)); k++)
            if (k > n) abort();
        cJSON *told = cJSON_CreateObject();
        if (tdm_search_tell(told, &t, &toy, &set, NULL)) abort();
        cJSON_Delete(told);
    }
    tdm_trials_clear(&t);
    if (tdm_mem_live()) abort();
    return 0;
}
