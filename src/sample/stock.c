/* SPDX-License-Identifier: Apache-2.0 */
/* stock.c - fills the shelves.
 *
 * A shelf holds regular items, sequels of its first two or so regular items, and new items, each made after one of its
 * best-known regular ones: same maker, same line or subject. A regular item lies in a cluster or in a circle. Both are
 * dealt from shuffled decks, so neither knows anything of shelves. */
#include "base/mem.h"
#include "sample/shop.h"

#include <stdio.h>
#include <string.h>

enum {
    CIRCLE = 5,
    RING = 40 /* of a hundred regular items lie in clusters */,
    NEW_SPAN = 70,
    NEW_FROM = TDM_SHOP_DAYS - 170
};

/* How many of each a shelf of this domain has; `parts`: the longest sequence of its sequels. */
static const struct plan {
    const tdm_shelf *shelves;
    size_t regular, sequels, newcomers;
} plans[TDM_SHOP_DOMAINS] = {
    {tdm_shelves_products, 10, 2, 2}, {tdm_shelves_films, 8, 3, 3}, {tdm_shelves_articles, 7, 2, 2}};

size_t tdm_list_count(const char *const *list)
{
    size_t n = 0;
    while (list[n]) n++;
    return n;
}

const char *tdm_list_pick(const char *const *list, tdm_rng *r) { return list[tdm_rng_below(r, tdm_list_count(list))]; }

static void lower(char *out, size_t room, const char *s)
{
    size_t n = 0;
    for (; s[n] && n + 1 < room; n++) out[n] = s[n] >= 'A' && s[n] <= 'Z' ? (char)(s[n] - 'A' + 'a') : s[n];
    out[n] = 0;
}

/* ---- titles ---- */

static void product(tdm_shop_item *t, const char *line, tdm_rng *r)
{
    const char *what = t->shelf->first[t->word];
    snprintf(t->title, sizeof t->title, "%s %s %s, %s", t->brand, line, what,
             t->shelf->second[2 * t->word + tdm_rng_below(r, 2)]);
    lower(t->thing, sizeof t->thing, what);
}

static void film(tdm_shop_item *t, tdm_rng *r)
{
    const char *a = t->shelf->first[t->word], *b = tdm_list_pick(t->shelf->second, r);
    const char *place = tdm_list_pick(t->shelf->third, r);
    uint64_t form = tdm_rng_below(r, 4);
    if (form == 0) snprintf(t->title, sizeof t->title, "%s %s", a, b);
    else if (form == 1) snprintf(t->title, sizeof t->title, "The %s %s of %s", a, b, place);
    else snprintf(t->title, sizeof t->title, "The %s %s", a, b);
    lower(t->thing, sizeof t->thing, "film");
}

static void article(tdm_shop_item *t, bool followed, tdm_rng *r)
{
    const char *a = t->shelf->first[t->word], *does = t->shelf->second[2 * t->word + tdm_rng_below(r, 2)];
    const char *lesson = tdm_list_pick(t->shelf->third, r);
    switch (tdm_rng_below(r, followed ? 2 : 5)) {
    case 0:
        snprintf(t->title, sizeof t->title, "Why %s %s", a, does);
        break;
    case 1:
        snprintf(t->title, sizeof t->title, "What %s Teach Us About %s", a, lesson);
        break;
    case 2:
        snprintf(t->title, sizeof t->title, "Why %s %s, and What Follows", a, does);
        break;
    case 3:
        snprintf(t->title, sizeof t->title, "A Short History of %s and %s", a, lesson);
        break;
    default:
        snprintf(t->title, sizeof t->title, "The Case for %s", a);
        break;
    }
    lower(t->thing, sizeof t->thing, "article");
}

static bool title_taken(const tdm_shop *s, const char *title)
{
    for (size_t i = 0; i < s->I; i++)
        if (!strcmp(s->item[i].title, title)) return true;
    return false;
}

/* ---- one item ---- */

static void id_make(char out[11], tdm_rng *r)
{
    static const char digit[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    memcpy(out, "B0", 2);
    for (size_t k = 2; k < 10; k++) out[k] = digit[tdm_rng_below(r, 36)];
    out[10] = 0;
}

static void describe(tdm_shop_item *t, tdm_rng *r)
{
    const char *const *about = t->domain == TDM_PRODUCTS && t->before >= 0 ? tdm_shelf_refills.about : t->shelf->about;
    size_t n = tdm_list_count(about), at = tdm_rng_below(r, n), more = tdm_rng_below(r, 3);
    int used = 0;
    if (t->domain == TDM_FILMS) used = snprintf(t->description, sizeof t->description, "Directed by %s. ", t->brand);
    if (t->domain == TDM_ARTICLES) used = snprintf(t->description, sizeof t->description, "From %s. ", t->brand);
    for (size_t k = 0; k <= more && k < n; k++)
        used += snprintf(t->description + used, sizeof t->description - (size_t)used, "%s%s", k ? " " : "",
                         about[(at + k) % n]);
}

/* Appends an item of `shelf`, its title still to be written. */
static tdm_shop_item *item_new(tdm_shop *s, tdm_rng *r, tdm_shop_domain d, const tdm_shelf *shelf)
{
    tdm_shop_item *t = &s->item[s->I];
    *t = (tdm_shop_item){.shelf = shelf, .domain = d, .next = -1, .before = -1, .anchor = -1};
    id_make(t->id, r);
    t->circle = TDM_SHOP_ITEMS;
    t->cluster = TDM_SHOP_CLUSTERS;
    t->quality = (unsigned)tdm_rng_below(r, 37);
    t->unbranded = d == TDM_PRODUCTS && tdm_rng_below(r, 6) == 0;
    uint64_t price = tdm_rng_below(r, 60);
    t->cents = d == TDM_PRODUCTS ? (unsigned)(599 + 100 * price)
               : d == TDM_FILMS  ? (unsigned)(499 + 100 * (price % 12))
                                 : 0;
    return t;
}

static void title_make(tdm_shop_item *t, const char *line, tdm_rng *r)
{
    if (t->domain == TDM_PRODUCTS) product(t, line, r);
    else if (t->domain == TDM_FILMS) film(t, r);
    else article(t, t->word < 2, r);
}

/* Draws until the title is new; after that many tries a numbered one is. */
static void title_draw(const tdm_shop *s, tdm_shop_item *t, const char *line, tdm_rng *r)
{
    static const char *const *const brands[] = {tdm_makers, tdm_directors, tdm_papers};
    bool fixed = t->brand != NULL;
    for (int k = 0; k < 60; k++) {
        if (!fixed) t->brand = tdm_list_pick(brands[t->domain], r);
        title_make(t, line ? line : tdm_list_pick(tdm_lines, r), r);
        if (!title_taken(s, t->title)) return;
    }
    size_t used = strlen(t->title);
    snprintf(t->title + used, sizeof t->title - used, " (No. %zu)", s->I);
}

/* ---- a shelf ---- */

static void regular_add(tdm_shop *s, tdm_rng *r, tdm_shop_domain d, const tdm_shelf *shelf, size_t k)
{
    tdm_shop_item *t = item_new(s, r, d, shelf);
    size_t words = tdm_list_count(shelf->first);
    /* The first two products are the machines; nothing else is called as they are. */
    t->word = (unsigned)(d == TDM_PRODUCTS && k >= 2 ? 2 + (k - 2) % (words - 2) : k % words);
    title_draw(s, t, NULL, r);
    describe(t, r);
    s->I++;
}

static void sequel_add(tdm_shop *s, tdm_rng *r, size_t before, unsigned part)
{
    tdm_shop_item *b = &s->item[before], *t = item_new(s, r, b->domain, b->shelf);
    static const char *const number[] = {"One", "Two", "Three"};
    t->brand = b->brand;
    t->unbranded = b->unbranded;
    t->word = b->word;
    memcpy(t->thing, b->thing, sizeof t->thing);
    int used = 0;
    if (b->domain == TDM_PRODUCTS) {
        used = snprintf(t->title, sizeof t->title, "%s for %s %s, Pack of %u", b->shelf->third[b->word], b->brand,
                        b->shelf->first[b->word], (unsigned)(2 + 2 * tdm_rng_below(r, 5)));
        lower(t->thing, sizeof t->thing, "pack");
        t->cents = 399 + t->cents / 400 * 50;
    } else if (b->domain == TDM_ARTICLES) {
        used = snprintf(t->title, sizeof t->title, "%s: Five Years On", b->title);
    } else {
        if (part == 1) {
            size_t n = strlen(b->title);
            snprintf(b->title + n, sizeof b->title - n, ": Part One");
        }
        size_t stem = strlen(b->title) - strlen(number[part - 1]);
        used = snprintf(t->title, sizeof t->title, "%.*s%s", (int)stem, b->title, number[part]);
    }
    if (used > 0 && title_taken(s, t->title) && (size_t)used + 12 < sizeof t->title)
        snprintf(t->title + used, sizeof t->title - (size_t)used, " (No. %zu)", s->I);
    b->next = (int)s->I;
    t->before = (int)before;
    describe(t, r);
    s->I++;
}

/* A new item made after `anchor`. */
static void newcomer_add(tdm_shop *s, tdm_rng *r, size_t anchor)
{
    const tdm_shop_item *a = &s->item[anchor];
    tdm_shop_item *t = item_new(s, r, a->domain, a->shelf);
    const char *line = NULL;
    for (size_t k = 0; a->domain == TDM_PRODUCTS && tdm_lines[k]; k++)
        if (strstr(a->title, tdm_lines[k])) line = tdm_lines[k];
    t->brand = a->brand;
    t->unbranded = a->unbranded;
    t->word = a->word;
    title_draw(s, t, line, r);
    describe(t, r);
    t->anchor = (int)anchor;
    t->launch = NEW_FROM + (unsigned)tdm_rng_below(r, NEW_SPAN);
    s->I++;
}

/* ---- clusters and circles ---- */

static void deal(tdm_shop *s, const uint32_t *regular, size_t n)
{
    uint32_t deck[TDM_SHOP_ITEMS];
    unsigned clustered = 0, circled = 0;
    tdm_rng r = tdm_rng_make(s->seed, TDM_STREAM_RANK, 0);
    memcpy(deck, regular, n * sizeof *deck);
    tdm_rng_shuffle_u32(&r, deck, n);
    for (size_t k = 0; k < n; k++) {
        tdm_shop_item *t = &s->item[deck[k]];
        if (k * RING % 100 < RING) t->cluster = clustered++ % TDM_SHOP_CLUSTERS;
        t->weight = (unsigned)(6000 / (k / TDM_SHOP_CLUSTERS + 3)); /* Zipf's law with a blunt head */
    }
    r = tdm_rng_make(s->seed, TDM_STREAM_CIRCLE, 0);
    memcpy(deck, regular, n * sizeof *deck);
    tdm_rng_shuffle_u32(&r, deck, n);
    for (size_t k = 0; k < n; k++)
        if (s->item[deck[k]].cluster == TDM_SHOP_CLUSTERS) s->item[deck[k]].circle = circled++ / CIRCLE;
}

/* The k-th best-known regular item that nothing follows of those from `from` on. */
static size_t anchor_find(const tdm_shop *s, const uint32_t *regular, size_t from, size_t to, size_t k)
{
    for (size_t at = from; at < to; at++) {
        size_t better = 0;
        for (size_t o = from; o < to; o++)
            better +=
                s->item[regular[o]].next < 0 && (s->item[regular[o]].weight > s->item[regular[at]].weight ||
                                                 (s->item[regular[o]].weight == s->item[regular[at]].weight && o < at));
        if (s->item[regular[at]].next < 0 && better == k) return regular[at];
    }
    return regular[from];
}

tdm_status tdm_shop_stock(tdm_shop *s, tdm_err *err)
{
    s->item = tdm_new(TDM_SHOP_ITEMS, sizeof *s->item);
    if (!s->item) return tdm_nomem(err, "the items of the sample");
    uint32_t regular[TDM_SHOP_ITEMS];
    size_t n = 0, shelf = 0;
    for (int d = 0; d < TDM_SHOP_DOMAINS; d++)
        for (const tdm_shelf *h = plans[d].shelves; h->category; h++, shelf++) {
            tdm_rng r = tdm_rng_make(s->seed, TDM_STREAM_ITEM, shelf);
            size_t from = s->I;
            for (size_t k = 0; k < plans[d].regular; k++) {
                regular[n++] = (uint32_t)s->I;
                regular_add(s, &r, (tdm_shop_domain)d, h, k);
            }
            sequel_add(s, &r, from, 1);
            sequel_add(s, &r, from + 1, 1);
            if (plans[d].sequels > 2) sequel_add(s, &r, from + plans[d].regular, 2);
        }
    deal(s, regular, n);
    size_t from = 0;
    for (int d = 0; d < TDM_SHOP_DOMAINS; d++)
        for (const tdm_shelf *h = plans[d].shelves; h->category; h++, from += plans[d].regular, shelf++) {
            tdm_rng r = tdm_rng_make(s->seed, TDM_STREAM_ITEM, shelf);
            for (size_t k = 0; k < plans[d].newcomers; k++)
                newcomer_add(s, &r, anchor_find(s, regular, from, from + plans[d].regular, k));
        }
    return TDM_OK;
}
