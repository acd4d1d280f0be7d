/* SPDX-License-Identifier: Apache-2.0 */
/* shop.h - the shop that the sample is a log of: its items, its people, and why each choice was made.
 *
 * A choice has one reason, and each reason is known to one kind of model only:
 *
 *     circle   a member of a small circle of items that are chosen together, in any order and at any distance. Circles
 *              are drawn by lot over all shelves, so their members share no words: co-choice alone shows them.
 *     way      an item of the next cluster. Clusters lie on a ring, and a person walks round it, one way or the other,
 *              with other choices in between: the last cluster leaves two that may be next, and which of them it is
 *              shows only in the order of the last two.
 *     sequel   the item that follows the last one or the one before: a second part, the filters of a jug.
 *     words    a new item that next to nobody has chosen yet, made by whom, and called as, something the person chose
 *              lately.
 * lately. crowd    anything, by how well known it is.
 *
 * Whole numbers decide everything, so the same seed makes the same bytes on every machine. Inside this floor, and for
 * tests that need to know the reasons. */
#ifndef TDM_SAMPLE_SHOP_H
#define TDM_SAMPLE_SHOP_H

#include "base/bytes.h"
#include "base/rng.h"
#include "base/status.h"

enum { TDM_SHOP_PEOPLE = 1500, TDM_SHOP_CLUSTERS = 8, TDM_SHOP_DAYS = 1095, TDM_SHOP_ITEMS = 400 };

typedef enum tdm_shop_domain { TDM_PRODUCTS, TDM_FILMS, TDM_ARTICLES, TDM_SHOP_DOMAINS } tdm_shop_domain;
typedef enum tdm_shop_reason {
    TDM_BY_CIRCLE,
    TDM_BY_WAY,
    TDM_BY_SEQUEL,
    TDM_BY_WORDS,
    TDM_BY_CROWD,
    TDM_REASONS
} tdm_shop_reason;

/* The random streams, one for each use. */
typedef enum tdm_shop_stream {
    TDM_STREAM_ITEM = 1,
    TDM_STREAM_RANK,
    TDM_STREAM_CIRCLE,
    TDM_STREAM_PERSON,
    TDM_STREAM_TEXT,
    TDM_STREAM_DIRT
} tdm_shop_stream;

/* The words of a sub-category. What titles are made of differs by domain:
 *     products   first: what it is; second: two features of each of these, one after the other; third: what wears out
 *                in first[0] and first[1]
 *     films      first and second: "The <first> <second>"; third: places
 *     articles   first: what they are about; second: two things that each of these does; third: what it teaches
 * Lists end with NULL. `good`, `bad` and `use` are whole clauses: "it pours without a drip". */
typedef struct tdm_shelf {
    const char *category, *sub;
    const char *first[12], *second[20], *third[9];
    const char *good[7], *bad[6], *use[5], *about[5];
} tdm_shelf;

extern const tdm_shelf tdm_shelf_refills; /* what is said of all that wears out; the rest is the machine's */
extern const tdm_shelf tdm_shelves_products[], tdm_shelves_films[], tdm_shelves_articles[]; /* category NULL ends */
extern const char *const tdm_makers[], *const tdm_lines[], *const tdm_directors[], *const tdm_papers[]; /* NULL ends */

typedef struct tdm_shop_item {
    char id[11], title[120], description[480];
    char thing[64]; /* what a review calls it */
    const tdm_shelf *shelf;
    const char *brand;
    bool unbranded; /* the shop does not say who made it */
    tdm_shop_domain domain;
    unsigned cents, cluster, circle, quality, weight, launch; /* weight 0: never met by chance. launch: a day */
    int next, before, anchor; /* sequel, what this is the sequel of, what a new item is like; -1: none */
    unsigned word;            /* place of its main word in shelf->first */
} tdm_shop_item;

typedef struct tdm_visit {
    uint32_t person, item;
    uint32_t day, step; /* step: of the person's history */
    tdm_shop_reason reason;
    int rating; /* 1 to 5 */
} tdm_visit;

typedef struct tdm_shop {
    uint64_t seed;
    tdm_shop_item *item;
    size_t I;
    tdm_visit *visit; /* person by person, each in order of time */
    size_t N, cap;
    size_t first[TDM_SHOP_PEOPLE + 1]; /* a person's visits are visit[first[u] .. first[u + 1]) */
} tdm_shop;

tdm_status tdm_shop_make(tdm_shop *out, uint64_t seed, tdm_err *err);
void tdm_shop_clear(tdm_shop *s); /* all-zero is fine */

/* The two halves of tdm_shop_make. */
tdm_status tdm_shop_stock(tdm_shop *s, tdm_err *err);
tdm_status tdm_shop_visits(tdm_shop *s, tdm_err *err);

/* Replaces what is in `summary` and `text` by what the person says about visit `n`. */
void tdm_shop_review(tdm_buf *summary, tdm_buf *text, const tdm_shop *s, size_t n);

/* A person's id: 14 bytes. */
void tdm_shop_person(char out[15], const tdm_shop *s, uint32_t person);

size_t tdm_list_count(const char *const *list);
const char *tdm_list_pick(const char *const *list, tdm_rng *r);

#endif
