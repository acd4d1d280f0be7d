/* SPDX-License-Identifier: Apache-2.0 */
/* reviews.c - what people say, put together from sentences with gaps:
 *
 *     {thing} {did} {use}      its noun; its verb; an occasion
 *     {good} {bad}             clauses of its shelf
 *     {brand} {last}           its maker; the title chosen before it
 * it
 *
 * A capital first letter in a gap's name makes one in the text. A sentence whose gap has nothing is not used. */
#include "sample/shop.h"

#include <string.h>

typedef struct gaps {
    const tdm_shop_item *item, *before; /* before: what was chosen before it; NULL: nothing */
    const char *good, *bad, *use;
} gaps;

/* By rating, 1 to 5. */
static const char *const summaries[6][9] = {
    {NULL},
    {"Avoid", "Very disappointed", "Not worth it", "I wanted to like this {thing}", "A waste", "One star is generous",
     NULL},
    {"Not for me", "Disappointing", "Expected more", "Could have been good", "Two stars for the idea", NULL},
    {"It is fine", "Good and bad", "Average {thing}", "Does the job, just", "Mixed feelings", "Three stars", NULL},
    {"Very good", "Nearly perfect", "A good {thing}", "Glad I chose it", "Solid", "Four stars", "Well made", NULL},
    {"Wonderful", "Best {thing} in years", "Five stars", "Could not be happier", "Exactly what I hoped for",
     "Perfect {use}", "{Brand} does it again", "A joy", NULL},
};

static const char *const openers[6][8] = {
    {NULL},
    {"{Bad}.", "I regret this one: {bad}.", "After two tries I gave up. {Bad}.",
     "The description promised much, and {bad}.", NULL},
    {"{Bad}, and I expected better from {brand}.", "Sadly, {bad}.", "I see what they were trying to do, but {bad}.",
     "{Bad}.", NULL},
    {"{Good}, but {bad}.", "On the one hand, {good}; on the other, {bad}.",
     "An ordinary {thing}. {Good}, though {bad}.", "{Bad}. Still, {good}.", NULL},
    {"{Good}.", "{Good}. My only complaint: {bad}.", "{Did} it {use}: {good}.",
     "I did not expect much, and yet {good}.", "{Good}, as you would expect from {brand}.", NULL},
    {"{Good}.", "I love this {thing}. {Good}.", "What can I say: {good}.", "Ideal {use}. {Good}.",
     "{Brand} has done it again: {good}.", "{Good}, and I would not change a thing.", NULL},
};

static const char *const closers[6][8] = {
    {NULL},
    {"I would not recommend it.", "Save your time.", "It went back the same day.",
     "Nothing like {last}, which I liked.", NULL},
    {"Perhaps others will enjoy it more.", "{Last} was much better.", "Look elsewhere.",
     "I tried it {use} and was not won over.", NULL},
    {"Fine {use}.", "I am not sure that I would choose it again.", "It will do.", "Good, but no match for {last}.",
     NULL},
    {"{Did} it {use}.", "Recommended.", "I came to it from {last} and am glad that I did.", "Worth it {use}.",
     "Would choose it again.", NULL},
    {"Perfect {use}.", "I have told all my friends.", "I came to it from {last} and was not disappointed.",
     "Do not hesitate.", "{Did} it {use}, and would again.", "If you liked {last}, this is next.", NULL},
};

/* What a gap is filled with; NULL where there is nothing. */
static const char *filling(const gaps *g, const char *name, size_t n)
{
    static const char *const did[] = {"used", "watched", "read"};
    struct {
        const char *name, *value;
    } known[] = {{"thing", g->item->thing},
                 {"did", did[g->item->domain]},
                 {"good", g->good},
                 {"bad", g->bad},
                 {"use", g->use},
                 {"brand", g->item->unbranded ? NULL : g->item->brand},
                 {"last", g->before ? g->before->title : NULL}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (strlen(known[k].name) == n && !memcmp(known[k].name + 1, name + 1, n - 1)) return known[k].value;
    return NULL;
}

static void capital_add(tdm_buf *out, const char *s, bool capital)
{
    if (capital && *s >= 'a' && *s <= 'z') tdm_buf_char(out, (char)(*s++ - 'a' + 'A'));
    tdm_buf_str(out, s);
}

/* Appends the sentence with its gaps filled; false, and nothing appended, where one has nothing. */
static bool say(tdm_buf *out, const char *sentence, const gaps *g)
{
    size_t start = out->n;
    for (const char *c = sentence; *c;) {
        const char *end = *c == '{' ? strchr(c, '}') : NULL;
        if (!end) {
            tdm_buf_char(out, *c++);
            continue;
        }
        const char *value = filling(g, c + 1, (size_t)(end - c - 1));
        if (!value) {
            out->n = start;
            if (out->p) out->p[start] = 0;
            return false;
        }
        capital_add(out, value, c[1] >= 'A' && c[1] <= 'Z');
        c = end + 1;
    }
    return true;
}

/* One of the list that can be said. */
static void say_one(tdm_buf *out, const char *const *list, const gaps *g, tdm_rng *r)
{
    for (int k = 0; k < 20; k++)
        if (say(out, tdm_list_pick(list, r), g)) return;
}

void tdm_shop_review(tdm_buf *summary, tdm_buf *text, const tdm_shop *s, size_t n)
{
    const tdm_visit *v = &s->visit[n];
    tdm_rng r = tdm_rng_make(s->seed, TDM_STREAM_TEXT, n);
    gaps g = {.item = &s->item[v->item]};
    bool refill = g.item->domain == TDM_PRODUCTS && g.item->before >= 0;
    const tdm_shelf *shelf = refill ? &tdm_shelf_refills : g.item->shelf;
    if (v->step && s->visit[n - 1].rating >= 4) g.before = &s->item[s->visit[n - 1].item];
    g.good = tdm_list_pick(shelf->good, &r);
    g.bad = tdm_list_pick(shelf->bad, &r);
    g.use = tdm_list_pick(shelf->use, &r);
    tdm_buf_reset(summary);
    tdm_buf_reset(text);
    say_one(summary, summaries[v->rating], &g, &r);
    say_one(text, openers[v->rating], &g, &r);
    uint64_t more = tdm_rng_below(&r, 3);
    if (more && v->rating >= 4 && tdm_rng_below(&r, 2)) { /* a second thing that is good, other than the first */
        const char *first = g.good;
        g.good = tdm_list_pick(shelf->good, &r);
        if (g.good != first) {
            tdm_buf_char(text, ' ');
            say(text, "{Good}.", &g);
        }
    }
    if (more == 2) {
        tdm_buf_char(text, ' ');
        say_one(text, closers[v->rating], &g, &r);
    }
}
