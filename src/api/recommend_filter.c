/* SPDX-License-Identifier: Apache-2.0 */
/* recommend_filter.c - which items a question leaves out, whom it is put to, and what is noted where that is unusual.
 */
#include "api/ask.h"
#include "api/recommend.h"
#include "base/mem.h"
#include "base/spell.h"
#include "cf/cf.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Takes the next line off *rest. */
static bool line_next(tdm_str *line, tdm_str *rest)
{
    if (!rest->n) return false;
    const char *end = memchr(rest->p, '\n', rest->n);
    size_t n = end ? (size_t)(end - rest->p) : rest->n;
    *line = (tdm_str){rest->p, n};
    rest->p += n + (end != NULL);
    rest->n -= n + (end != NULL);
    return true;
}

/* Whether one of the item's categories is `want`, letter case of ASCII aside. */
static bool in_category(const tdm_dataset *d, uint32_t i, tdm_str want)
{
    tdm_str rest = tdm_strings_at(&d->category, i), word;
    while (line_next(&word, &rest)) {
        size_t k = 0;
        while (word.n == want.n && k < want.n && tolower((unsigned char)word.p[k]) == tolower((unsigned char)want.p[k]))
            k++;
        if (word.n == want.n && k == want.n) return true;
    }
    return false;
}

/* A category that no item has, with the one most like it in spelling. */
static tdm_status no_category(const tdm_dataset *d, const char *want, tdm_err *err)
{
    tdm_str nearest = {0};
    size_t best = SIZE_MAX;
    for (uint32_t i = 0; i < d->I; i++) {
        tdm_str rest = tdm_strings_at(&d->category, i), word;
        while (line_next(&word, &rest)) {
            size_t distance = tdm_spell_distance(word, tdm_str_of(want));
            if (distance < best) best = distance, nearest = word;
        }
    }
    if (!nearest.n)
        return tdm_fail(err, TDM_E_ARG, "no item has the category \"%s\": this data has no categories", want);
    return tdm_fail(err, TDM_E_ARG, "no item has the category \"%s\"; the nearest by spelling: %.*s", want,
                    TDM_STR_ARG(nearest));
}

tdm_status tdm_barred_make(uint8_t **barred, const tdm_recommender *r, const tdm_query *q, tdm_err *err)
{
    const tdm_bundle *b = r->b;
    const tdm_dataset *d = b->data;
    *barred = NULL;
    if (!q->category && !q->exclude && !r->excluded) return TDM_OK;
    uint8_t *out = tdm_new(d->I, sizeof *out);
    if (!out) return tdm_nomem(err, "the filters");
    if (r->excluded) memcpy(out, r->excluded, d->I);
    tdm_status st = TDM_OK;
    tdm_str rest = tdm_str_of(q->exclude ? q->exclude : ""), word;
    while (!st && tdm_list_next(&word, &rest)) {
        uint32_t i;
        st = tdm_find_item(b, &i, word, err);
        if (!st) out[i] = 1;
    }
    size_t left = 0;
    for (uint32_t i = 0; !st && q->category && i < d->I; i++) {
        if (in_category(d, i, tdm_str_of(q->category))) left++;
        else out[i] = 1;
    }
    if (!st && q->category && !left) st = no_category(d, q->category, err);
    if (st) tdm_free(out);
    else *barred = out;
    return st;
}

tdm_status tdm_diversity_make(tdm_diversity *d, double weight, const tdm_bundle *b, tdm_err *err)
{
    const char *whose;
    *d = (tdm_diversity){.weight = weight};
    if (!(weight >= 0 && weight <= 1))
        return tdm_fail(err, TDM_E_ARG, "--diversity takes a number from 0 to 1, not %g", weight);
    if (!(weight > 0)) return TDM_OK;
    tdm_status st = tdm_bundle_vectors(b, &d->vectors, &d->K, &whose, err);
    if (st || d->vectors) return st;
    return tdm_fail(err, TDM_E_ARG,
                    "--diversity needs vectors of items, and no model here has them; train content too");
}

const tdm_model *tdm_asked_model(const tdm_bundle *b, const tdm_query *q, const tdm_model *m, size_t n)
{
    const tdm_model *popular = b->model[tdm_models_index(tdm_str_of(tdm_popularity_ops.name))];
    return n == 0 && !q->model && popular ? popular : m;
}

bool tdm_list_note(char note[TDM_NOTE], bool filtered, const tdm_model *chosen, const tdm_model *m, size_t found,
                   size_t asked)
{
    if (m != chosen) snprintf(note, TDM_NOTE, "the history is empty, so this is what is popular");
    else if (found < asked)
        snprintf(note, TDM_NOTE, "%zu of the %zu asked for: no other item %shas a score from %s", found, asked,
                 filtered ? "passes the filters and " : "", m->ops->name);
    return m != chosen || found < asked;
}
