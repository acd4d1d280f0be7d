/* SPDX-License-Identifier: Apache-2.0 */
/* words_parts.c - what follows from a vocabulary and the training rows: names, the tree of titles, the words allowed.
 */
#include "gpt2/words_line.h"
#include "base/mem.h"
#include "base/status.h"

#include <math.h>

/* ---- who chose an item ---- */

tdm_status tdm_readers_make(tdm_readers *r, const tdm_dataset *d, tdm_err *err)
{
    *r =
        (tdm_readers){tdm_new(d->I + 1, sizeof *r->from), tdm_new(d->N, sizeof *r->at), tdm_new(d->N, sizeof *r->user)};
    int64_t *next = tdm_new(d->I, sizeof *next);
    if (!r->from || !r->at || !r->user || !next) {
        tdm_readers_clear(r);
        tdm_free(next);
        return tdm_nomem(err, "the training rows by item");
    }
    for (size_t k = 0; k < d->N; k++) r->from[d->item[k] + 1]++;
    for (size_t i = 0; i < d->I; i++) {
        r->from[i + 1] += r->from[i];
        next[i] = r->from[i];
    }
    for (size_t u = 0; u < d->U; u++)
        for (int64_t k = d->offset[u]; k < d->offset[u + 1]; k++) {
            int64_t to = next[d->item[k]]++;
            r->at[to] = (uint32_t)k;
            r->user[to] = (uint32_t)u;
        }
    tdm_free(next);
    return TDM_OK;
}

void tdm_readers_clear(tdm_readers *r)
{
    tdm_free(r->from);
    tdm_free(r->at);
    tdm_free(r->user);
    *r = (tdm_readers){0};
}

static bool any_text(const tdm_dataset *d, const tdm_strings *texts)
{
    for (size_t k = 0; k < d->N; k++)
        if (tdm_strings_at(texts, d->row[k]).n) return true;
    return false;
}

/* ---- names ---- */

/* A stand-in says what the thing is rather than how good it is: of summaries between 12 and 60 bytes the longest, the
 * first of equals. */
static tdm_str stand_in(const tdm_dataset *d, const tdm_readers *r, uint32_t item, uint32_t not_by, uint32_t *author)
{
    tdm_str best = {0};
    for (int64_t k = r->from[item]; k < r->from[item + 1]; k++) {
        tdm_str s = tdm_str_trim(tdm_strings_at(&d->summary, d->row[r->at[k]]));
        if (r->user[k] == not_by || s.n < 12 || s.n > 60 || s.n <= best.n) continue;
        best = s;
        *author = r->user[k];
    }
    return best;
}

void tdm_words_name(tdm_buf *out, const tdm_dataset *d, const tdm_readers *r, uint32_t item, uint32_t not_by,
                    uint32_t *author)
{
    uint32_t by = TDM_NONE;
    tdm_prompt_clean(out, tdm_strings_at(&d->title, item), NAME_BYTES);
    if (!out->n) tdm_prompt_clean(out, tdm_strings_at(&d->keywords, item), NAME_BYTES);
    if (!out->n) tdm_prompt_clean(out, stand_in(d, r, item, not_by, &by), NAME_BYTES);
    if (!out->n) {
        by = TDM_NONE;
        tdm_prompt_clean(out, tdm_strings_at(&d->item_id, item), NAME_BYTES);
    }
    if (author) *author = by;
}

static tdm_status names_make(tdm_words *w, tdm_err *err)
{
    const tdm_dataset *d = w->train;
    tdm_names *n = &w->names;
    tdm_buf text = {0};
    tdm_tokens name = {0};
    tdm_status st = TDM_OK;
    size_t cap = 0;
    n->I = d->I;
    n->offset = tdm_new(d->I + 1, sizeof *n->offset);
    n->author = tdm_new(d->I, sizeof *n->author);
    if (!n->offset || !n->author) return tdm_nomem(err, "the names of items");
    for (size_t i = 0; !st && i < d->I; i++) {
        size_t at = (size_t)n->offset[i];
        tdm_words_name(&text, d, &w->readers, (uint32_t)i, TDM_NONE, &n->author[i]);
        st = text.failed ? tdm_nomem(err, "the names of items")
                         : tdm_prompt_encode(&name, w->b, (tdm_str){text.p, text.n}, NAME_TOKENS, err);
        if (!st && tdm_grow(&n->token, &cap, at + name.n, sizeof *n->token)) st = tdm_nomem(err, "the names of items");
        for (size_t k = 0; !st && k < name.n; k++) n->token[at + k] = name.at[k];
        n->offset[i + 1] = (int64_t)(at + name.n);
    }
    tdm_buf_clear(&text);
    tdm_free(name.at);
    if (!st) st = tdm_trie_make(&w->trie, n->token, n->offset, d->I, w->mark.end, err);
    return st;
}

/* Tokens without control characters: what is written stays one line. */
static tdm_status plain_make(tdm_words *w, tdm_err *err)
{
    tdm_buf text = {0};
    size_t V = tdm_bpe_size(w->b);
    w->plain = tdm_new(V + 2, sizeof *w->plain);
    if (!w->plain) return tdm_nomem(err, "the words to write with");
    for (uint32_t t = 0; t < V && !text.failed; t++) {
        tdm_buf_reset(&text);
        tdm_bpe_decode(w->b, &text, &t, 1);
        bool fine = text.n > 0;
        for (size_t i = 0; i < text.n; i++)
            if ((uint8_t)text.p[i] < 0x20 || text.p[i] == 0x7f) fine = false;
        if (fine) w->plain[w->n_plain++] = t;
    }
    bool failed = text.failed;
    tdm_buf_clear(&text);
    return failed ? tdm_nomem(err, "the words to write with") : TDM_OK;
}

tdm_status tdm_words_complete(tdm_words *w, tdm_err *err)
{
    tdm_status st = tdm_marks_find(&w->mark, w->b, err);
    if (!st) st = tdm_readers_make(&w->readers, w->train, err);
    if (!st) st = names_make(w, err);
    if (!st) st = plain_make(w, err);
    if (!st) st = tdm_lexicon_make(&w->lexicon, w->train, err);
    w->summaries = w->forms.of[TDM_FORM_REVIEW].summary && any_text(w->train, &w->train->summary);
    w->reviews = w->forms.of[TDM_FORM_REVIEW].review && any_text(w->train, &w->train->review);
    w->writes = w->summaries || w->reviews;
    return st ? st : tdm_lines_measure(w, err);
}

tdm_status tdm_words_pack(tdm_words *w, tdm_pool *pool, tdm_err *err)
{
    static const tdm_weights kind[] = {TDM_WEIGHTS_F32, TDM_WEIGHTS_BF16, TDM_WEIGHTS_I8};
    return tdm_gpt2_packed_open(&w->packed, w->g, kind[(size_t)tdm_param_get(&w->p, "packed")], pool, err);
}

void tdm_words_close(tdm_model *m)
{
    tdm_words *w = (tdm_words *)m;
    if (!w) return;
    tdm_trie_clear(&w->trie);
    tdm_readers_clear(&w->readers);
    tdm_lexicon_clear(&w->lexicon);
    tdm_free(w->names.token);
    tdm_free(w->names.offset);
    tdm_free(w->names.author);
    tdm_free(w->plain);
    tdm_bpe_close(w->b);
    tdm_gpt2_packed_close(w->packed);
    tdm_gpt2_close(w->g);
    tdm_free(w);
}
