/* SPDX-License-Identifier: Apache-2.0 */
#include "api/registry.h"

#include "base/spell.h"
#include "cf/cf.h"
#include "content/content.h"
#include "gpt2/items.h"
#include "gpt2/words.h"
#include "hybrid/hybrid.h"

#include <string.h>

const tdm_model_ops *const tdm_models[] = {
    &tdm_popularity_ops,
    &tdm_recent_ops,
    &tdm_category_popularity_ops,
    &tdm_transitions_ops,
    &tdm_user_knn_ops,
    &tdm_item_knn_ops,
    &tdm_cooccurrence_ops,
    &tdm_ease_ops,
    &tdm_slist_ops,
    &tdm_ials_ops,
    &tdm_mf_ops,
    &tdm_svdpp_ops,
    &tdm_content_ops,
    &tdm_gpt2_items_ops,
    &tdm_gpt2_words_ops,
    &tdm_hybrid_ops,
    NULL,
};

int tdm_models_index(tdm_str name)
{
    for (int i = 0; tdm_models[i]; i++)
        if (tdm_str_is(name, tdm_models[i]->name)) return i;
    return -1;
}

static tdm_status unknown(tdm_str name, tdm_err *err)
{
    int nearest = 0;
    size_t best = SIZE_MAX;
    for (int i = 0; tdm_models[i]; i++) {
        size_t d = tdm_spell_distance(name, tdm_str_of(tdm_models[i]->name));
        if (d < best) best = d, nearest = i;
    }
    return tdm_fail(err, TDM_E_ARG, "there is no model \"%.*s\"; the nearest is %s, and `tandem models` lists all",
                    TDM_STR_ARG(name), tdm_models[nearest]->name);
}

/* What a model needs stands before it in the list, so one pass from the end adds everything. */
static void add_needs(unsigned char *chosen)
{
    int last = 0;
    while (tdm_models[last]) last++;
    for (int i = last - 1; i >= 0; i--)
        for (const char *const *need = tdm_models[i]->needs; chosen[i] && need && *need; need++)
            chosen[tdm_models_index(tdm_str_of(*need))] = 1;
}

tdm_status tdm_models_choose(unsigned char chosen[TDM_MAX_MODELS], const char *words, tdm_err *err)
{
    memset(chosen, 0, TDM_MAX_MODELS);
    if (!words) words = "";
    for (int i = 0; !*words && tdm_models[i]; i++) chosen[i] = !tdm_models[i]->optional;
    while (*words) {
        tdm_str word = tdm_str_trim((tdm_str){words, strcspn(words, ",")});
        words += strcspn(words, ",");
        words += *words == ',';
        if (!word.n) continue;
        int i = tdm_models_index(word);
        if (i < 0) return unknown(word, err);
        chosen[i] = 1;
    }
    add_needs(chosen);
    return TDM_OK;
}
