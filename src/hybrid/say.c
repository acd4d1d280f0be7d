/* SPDX-License-Identifier: Apache-2.0 */
/* say.c - facts as short English sentences that hold for products, films and articles alike: people "choose" things,
 * and "this" is what is recommended. */
#include "base/mem.h"
#include "hybrid/facts.h"
#include "hybrid/tidy.h"

#include <stdlib.h>
#include <string.h>

/* "Green tea" with its quotes, tidy and not too long. */
static void name_cut(tdm_buf *b, const tdm_dataset *d, uint32_t item, size_t most)
{
    tdm_buf_char(b, '"');
    size_t at = b->n;
    tdm_tidy(b, tdm_dataset_name(d, item), most);
    for (; !b->failed && at < b->n; at++)
        if (b->p[at] == '"') b->p[at] = '\''; /* 5" pipe: the quote would end here */
    tdm_buf_char(b, '"');
}

static void name_add(tdm_buf *b, const tdm_dataset *d, uint32_t item) { name_cut(b, d, item, TDM_NAME_BYTES); }

static const char *people(size_t n) { return n == 1 ? "person" : "people"; }

/* ---- what two items have in common ---- */

/* The next line of a list of categories. */
static bool line_next(tdm_str *line, tdm_str *rest)
{
    if (!rest->n) return false;
    const char *end = memchr(rest->p, '\n', rest->n);
    size_t n = end ? (size_t)(end - rest->p) : rest->n;
    *line = (tdm_str){rest->p, n};
    n += end != NULL;
    rest->p += n;
    rest->n -= n;
    return true;
}

static bool has_category(const tdm_dataset *d, uint32_t item, tdm_str want)
{
    tdm_str rest = tdm_strings_at(&d->category, item), line;
    while (line_next(&line, &rest))
        if (tdm_str_eq(line, want)) return true;
    return false;
}

/* The category of both that the fewest items have; empty where every one is that of most of the catalogue. Items are
 * numbered by a hash, so the first few thousand are a fair sample. */
static tdm_str common_category(const tdm_dataset *d, uint32_t a, uint32_t b)
{
    size_t n = d->I < 4096 ? d->I : 4096, fewest = n / 2 + 1;
    tdm_str rest = d->category.n ? tdm_strings_at(&d->category, a) : (tdm_str){0}, line, best = {0};
    while (line_next(&line, &rest)) {
        if (!line.n || !has_category(d, b, line)) continue;
        size_t have = 0;
        for (uint32_t i = 0; i < n; i++) have += has_category(d, i, line);
        if (have < fewest) fewest = have, best = line;
    }
    return best;
}

static tdm_str common_brand(const tdm_dataset *d, uint32_t a, uint32_t b)
{
    if (!d->brand.n) return (tdm_str){0};
    tdm_str x = tdm_strings_at(&d->brand, a);
    return tdm_str_eq(x, tdm_strings_at(&d->brand, b)) ? x : (tdm_str){0};
}

static void short_add(tdm_buf *b, tdm_str s)
{
    tdm_buf_char(b, '"');
    tdm_tidy(b, s, TDM_NAME_BYTES);
    tdm_buf_char(b, '"');
}

/* ---- the list ---- */

/* "12 of the 80 other people who chose ", "All 3 other people who chose ", "The one other person who chose ". */
static void whom(tdm_buf *b, size_t n, size_t of, bool begins)
{
    if (of == 1) tdm_buf_fmt(b, "%che one other person who chose ", begins ? 'T' : 't');
    else if (n == of) tdm_buf_fmt(b, "%cll %zu other people who chose ", begins ? 'A' : 'a', of);
    else tdm_buf_fmt(b, "%zu of the %zu other people who chose ", n, of);
}

static bool went_on(const tdm_fact *x) { return 2 * x->after >= x->both; }

static void together(tdm_buf *b, const tdm_facts *f, const tdm_fact *x)
{
    whom(b, went_on(x) ? x->after : x->both, x->people, true);
    name_add(b, f->in->data, x->item);
    tdm_buf_str(b, went_on(x) ? " went on to choose this." : " chose this too.");
}

static void shared(tdm_buf *b, const tdm_facts *f, const tdm_fact *x)
{
    const tdm_dataset *d = f->in->data;
    tdm_str brand = common_brand(d, f->in->item, x->item), category = common_category(d, f->in->item, x->item);
    if (!brand.n && !category.n) return;
    tdm_buf_str(b, brand.n ? "It is of the same brand as " : "Shares the category ");
    if (!brand.n) {
        short_add(b, category);
        tdm_buf_str(b, " with ");
    }
    name_add(b, d, x->item);
    if (brand.n) {
        tdm_buf_str(b, ", ");
        short_add(b, brand);
    }
    tdm_buf_char(b, '.');
}

static void similar(tdm_buf *b, const tdm_facts *f)
{
    size_t n = f->evidence->n_people;
    if (n)
        tdm_buf_fmt(b, "%zu%s %s with a similar history chose it.", n, n == TDM_EVIDENCE_PEOPLE ? " or more" : "",
                    people(n));
}

static void popular(tdm_buf *b, const tdm_facts *f)
{
    const tdm_dataset *t = f->in->train;
    size_t n = f->people;
    if (!n) {
        tdm_buf_str(b, "Nobody else has chosen it yet: what it is called speaks for it.");
        return;
    }
    tdm_buf_fmt(b, "%zu %s chose it", n, people(n));
    if (f->ratings >= 3)
        tdm_buf_fmt(b, "; its %zu ratings average %.1f on a scale from %g to %g", f->ratings,
                    f->rating_sum / (double)f->ratings, (double)t->rating_low, (double)t->rating_high);
    tdm_buf_char(b, '.');
}

void tdm_quote_add(tdm_buf *out, tdm_str sentence)
{
    tdm_buf_str(out, "Somebody who chose it wrote: \"");
    tdm_buf_add(out, sentence.p, sentence.n);
    tdm_buf_char(out, '"');
}

static void quote(tdm_buf *b, const tdm_facts *f)
{
    if (f->quote.n) tdm_quote_add(b, f->quote);
}

/* What the item is listed as. */
static void listed(tdm_buf *b, const tdm_facts *f)
{
    enum { MOST = 4 };
    const tdm_dataset *d = f->in->data;
    tdm_str brand = d->brand.n ? tdm_strings_at(&d->brand, f->in->item) : (tdm_str){0}, line;
    tdm_str rest = d->category.n ? tdm_strings_at(&d->category, f->in->item) : (tdm_str){0};
    size_t n = 0;
    if (brand.n) {
        tdm_buf_str(b, "It is by ");
        short_add(b, brand);
    }
    while (n < MOST && line_next(&line, &rest)) {
        if (!line.n) continue;
        tdm_buf_str(b, n ? ", " : brand.n ? " and listed under " : "It is listed under ");
        short_add(b, line);
        n++;
    }
    if (b->n) tdm_buf_char(b, '.');
}

/* Takes lines that hold a blocked word out. */
static tdm_status lines_pass(tdm_buf lines[TDM_FACTS_LINES], size_t *n, const tdm_block *block, tdm_err *err)
{
    tdm_folded room = {0};
    tdm_status st = TDM_OK;
    size_t left = 0;
    for (size_t k = 0; !st && k < *n; k++) {
        bool found;
        st = tdm_block_find(block, &found, (tdm_str){lines[k].p, lines[k].n}, &room, err);
        if (st || found) continue;
        tdm_buf line = lines[left];
        lines[left++] = lines[k];
        lines[k] = line; /* the same, or one that is blocked */
    }
    for (size_t k = left; k < *n; k++) tdm_buf_clear(&lines[k]);
    *n = left;
    tdm_free(room.at);
    return st;
}

static void lines_clear(tdm_buf lines[TDM_FACTS_LINES], size_t *n)
{
    for (size_t k = 0; k < TDM_FACTS_LINES; k++) tdm_buf_clear(&lines[k]);
    *n = 0;
}

tdm_status tdm_facts_lines(tdm_buf lines[TDM_FACTS_LINES], size_t *n, const tdm_facts *f, tdm_err *err)
{
    tdm_buf *b = lines;
    bool failed = false;
    memset(lines, 0, TDM_FACTS_LINES * sizeof *lines);
#define SAY(call)                                                                                                      \
    do {                                                                                                               \
        call;                                                                                                          \
        failed = failed || b->failed;                                                                                  \
        if (b->n) b++;                                                                                                 \
    } while (0)
    for (size_t j = 0; j < 2 && j < f->n_named; j++)
        if (f->named[j].both) SAY(together(b, f, &f->named[j]));
    SAY(similar(b, f));
    for (size_t j = 0; j < 2 && j < f->n_named; j++) SAY(shared(b, f, &f->named[j]));
    SAY(popular(b, f));
    SAY(listed(b, f));
    SAY(quote(b, f));
#undef SAY
    *n = (size_t)(b - lines);
    tdm_status st = failed ? tdm_nomem(err, "a recommendation's evidence") : lines_pass(lines, n, f->in->block, err);
    if (st) lines_clear(lines, n);
    return st;
}

/* ---- one sentence ---- */

/* What a history item says for the recommendation; nothing where it says nothing that can be counted. */
static void named_say(tdm_buf *out, const tdm_facts *f, const tdm_fact *x)
{
    const tdm_dataset *d = f->in->data;
    tdm_str brand = common_brand(d, f->in->item, x->item), category = common_category(d, f->in->item, x->item);
    if (!x->both && !brand.n && !category.n) return;
    tdm_buf_fmt(out, "You %s ", x->liked ? "liked" : "chose");
    name_add(out, d, x->item);
    if (x->both) {
        tdm_buf_str(out, ", and ");
        whom(out, went_on(x) ? x->after : x->both, x->people, false);
        tdm_buf_fmt(out, "it %s.", went_on(x) ? "went on to choose this" : "chose this too");
    } else {
        tdm_buf_str(out, brand.n ? ", and this is of the same brand, " : ", and this shares its category ");
        short_add(out, brand.n ? brand : category);
        tdm_buf_char(out, '.');
    }
}

typedef enum outcome { SHOWN, SILENT, BLOCKED } outcome;

/* What becomes of the sentence in `out`; unless it may be shown, `out` is empty again. */
static tdm_status judge(outcome *what, tdm_buf *out, const tdm_facts *f, tdm_err *err)
{
    bool found;
    if (out->failed) return tdm_nomem(err, "a sentence");
    tdm_status st = tdm_block_find(f->in->block, &found, (tdm_str){out->p, out->n}, NULL, err);
    *what = found ? BLOCKED : out->n ? SHOWN : SILENT;
    if (st || *what != SHOWN) tdm_buf_reset(out);
    return st;
}

tdm_status tdm_facts_say(tdm_buf *out, const tdm_facts *f, tdm_err *err)
{
    outcome what = BLOCKED;
    tdm_status st = TDM_OK;
    for (size_t j = 0; !st && what == BLOCKED && j < f->n_named; j++) {
        named_say(out, f, &f->named[j]);
        st = judge(&what, out, f, err);
    }
    if (!st && what != SHOWN) {
        similar(out, f);
        st = judge(&what, out, f, err);
    }
    if (!st && what != SHOWN) {
        popular(out, f);
        st = judge(&what, out, f, err);
    }
    return st;
}

/* ---- the beginning of a sentence ---- */

/* n items of the history, from `from` on. */
static void because(tdm_buf *out, const tdm_facts *f, size_t from, size_t n)
{
    for (size_t j = from; j < from + n; j++) {
        bool liked = f->named[j].liked, as_before = j > from && liked == f->named[j - 1].liked;
        tdm_buf_str(out, j == from ? "Because you " : " and ");
        if (!as_before) tdm_buf_str(out, liked ? "liked " : "chose ");
        name_cut(out, f->in->data, f->named[j].item, TDM_LEAD_NAME_BYTES);
    }
}

static void nth_lead(tdm_buf *out, const tdm_facts *f, size_t k)
{
    if (k == 0 && f->n_named > 1) because(out, f, 0, 2);
    else if (k >= 1 && k <= f->n_named) because(out, f, k - 1, 1);
    else if (k == TDM_FACTS_NAMED + 1) similar(out, f);
    else if (k == TDM_FACTS_NAMED + 2 && f->people) popular(out, f);
    if (out->n && out->p[out->n - 1] == '.') out->p[--out->n] = 0;
    if (out->n) tdm_buf_str(out, ": ");
}

tdm_status tdm_facts_lead(tdm_buf *out, const tdm_facts *f, tdm_err *err)
{
    outcome what = SILENT;
    tdm_status st = TDM_OK;
    for (size_t k = 0; !st && what != SHOWN && k < TDM_FACTS_NAMED + 3; k++) {
        nth_lead(out, f, k);
        st = judge(&what, out, f, err);
    }
    return st;
}
