/* SPDX-License-Identifier: Apache-2.0 */
/* make_log.c - big logs to measure with, written as they are made: memory does not grow with the log.
 *
 *     bench_make_log reviews FILE.json SIZE OUT [SEED]
 *
 * Copies of a file of JSON lines until SIZE bytes (10M, 1G: millions, billions) are there, cut behind a line. The id of
 * a person or an item is replaced by one of the same form made from its number in the file and the number of the copy
 * (number + ids of the file x copy, through a one-to-one mix), so no two copies share an id and people and items grow
 * with the size. All else, texts and times too, is the file's.
 *
 *     bench_make_log ratings ROWS PEOPLE ITEMS OUT [SEED]
 *     bench_make_log ratings 10M 138K 27K ratings.csv          the size of MovieLens 20M's people and items
 *
 * user,item,rating,timestamp with a header, person after person. Everyone has one row; the rest goes to people in
 * proportion to exp(1.2 z), z standard normal: a log-normal history length. Item of rank k is drawn with probability
 * log((k + 21) / (k + 20)), close to Zipf's law 1 / (k + 20), and drawn again up to 16 times where the person has it
 * already. Ratings are 1 to 5, mostly 5; the times of a person increase.
 *
 * OUT "-" is standard output. The same arguments make the same bytes. */
#include "base/mem.h"
#include "base/rng.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER = 1 << 20, LONGEST_ROW = 128, PERSON = 14, ITEM = 10, AGAIN = 16 };

static const double spread = 1.2, shift = 20;

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_make_log: %s: %s\n", what, why);
    exit(1);
}

static void *room(size_t n, size_t size)
{
    void *p = tdm_new(n, size);
    if (!p) fail("memory", "there is not enough");
    return p;
}

/* ---- numbers and ids ---- */

/* "250", "10M", "1G": K, M and G are thousands. */
static uint64_t number(const char *word)
{
    char *end;
    errno = 0;
    double x = strtod(word, &end);
    x *= *end == 'K' ? 1e3 : *end == 'M' ? 1e6 : *end == 'G' ? 1e9 : 1;
    end += *end == 'K' || *end == 'M' || *end == 'G';
    if (end == word || *end || errno || !(x >= 0 && x < 0x1p40)) fail(word, "expected a number such as 250, 10M or 1G");
    return (uint64_t)x;
}

static void base36(char *to, size_t n, uint64_t x)
{
    while (n--) to[n] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[x % 36], x /= 36;
}

/* Both are one-to-one: the mixes are, and 36^13 > 2^64, 36^8 > 2^40. */
static void person_id(char *to, uint64_t seed, uint64_t k)
{
    *to = 'A';
    base36(to + 1, PERSON - 1, tdm_mix64(k + (seed << 40)));
}

static void item_id(char *to, uint64_t seed, uint64_t k)
{
    const uint64_t mask = ((uint64_t)1 << 40) - 1;
    uint64_t x = ((k + seed) * 0x9e3779b97f4a7c15) & mask;
    x = ((x ^ x >> 20) * 0xbf58476d1ce4e5b9) & mask;
    memcpy(to, "B0", 2);
    base36(to + 2, ITEM - 2, x);
}

/* ---- output ---- */

typedef struct output {
    FILE *f;
    const char *name;
    char *p;
    size_t n;
    uint64_t total;
} output;

static output output_open(const char *name)
{
    bool standard = !strcmp(name, "-");
    output o = {.f = standard ? stdout : fopen(name, "wb"), .name = name, .p = room(BUFFER, 1)};
    if (!o.f) fail(name, strerror(errno));
    setvbuf(o.f, NULL, _IONBF, 0);
    return o;
}

static void output_flush(output *o)
{
    if (o->n && fwrite(o->p, 1, o->n, o->f) != o->n) fail(o->name, strerror(errno));
    o->total += o->n;
    o->n = 0;
}

static void output_add(output *o, const char *p, size_t n)
{
    while (n) {
        size_t some = BUFFER - o->n < n ? BUFFER - o->n : n;
        memcpy(o->p + o->n, p, some);
        o->n += some;
        p += some;
        n -= some;
        if (o->n == BUFFER) output_flush(o);
    }
}

static void output_close(output *o)
{
    output_flush(o);
    if (fclose(o->f)) fail(o->name, strerror(errno));
    tdm_free(o->p);
}

/* ---- copies of reviews ---- */

typedef struct place { /* of an id inside of its quotes */
    size_t at, n;
    uint64_t k; /* its number in the file, by first appearance */
    bool person;
} place;

typedef struct numbered { /* ids by hash; k + 1, or 0 */
    uint64_t *k, n;
    size_t *at, *length, room;
} numbered;

static uint64_t number_of(numbered *t, const char *text, size_t at, size_t n)
{
    uint64_t h = 0;
    for (size_t i = 0; i < n; i++) h = tdm_mix64(h ^ (unsigned char)text[at + i]);
    size_t slot = h & (t->room - 1);
    for (; t->k[slot]; slot = (slot + 1) & (t->room - 1))
        if (t->length[slot] == n && !memcmp(text + t->at[slot], text + at, n)) return t->k[slot] - 1;
    t->k[slot] = ++t->n;
    t->at[slot] = at;
    t->length[slot] = n;
    return t->n - 1;
}

static numbered numbered_new(size_t ids)
{
    numbered t = {.room = 64};
    while (t.room < 2 * ids) t.room *= 2;
    t.k = room(t.room, sizeof *t.k);
    t.at = room(t.room, sizeof *t.at);
    t.length = room(t.room, sizeof *t.length);
    return t;
}

static char *file_read(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    long size = -1;
    if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET)) fail(path, strerror(errno));
    char *text = room((size_t)size + 1, 1);
    if (fread(text, 1, (size_t)size, f) != (size_t)size) fail(path, "could not be read");
    fclose(f);
    *n = (size_t)size;
    return text;
}

/* The key before a value, or nothing that is wanted. */
static bool is_key(const char *p, size_t n, bool *person)
{
    static const struct {
        const char *key;
        bool person;
    } keys[] = {{"reviewerID", true}, {"user_id", true}, {"asin", false}, {"parent_asin", false}};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        if (strlen(keys[k].key) == n && !memcmp(p, keys[k].key, n)) {
            *person = keys[k].person;
            return true;
        }
    return false;
}

/* Finds the ids: strings on the first level behind one of the keys. */
static size_t places_find(place *out, size_t most, const char *text, size_t n)
{
    size_t found = 0, depth = 0;
    bool wanted = false, person = false;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (c == '{') depth++;
        if (c == '}' && depth) depth--;
        if (c == '\n') depth = 0, wanted = false;
        if (c == ',') wanted = false;
        if (c != '"') continue;
        size_t from = ++i;
        while (i < n && text[i] != '"' && text[i] != '\n') i += text[i] == '\\' ? 2 : 1;
        if (i >= n) break;
        size_t next = i + 1;
        while (next < n && (text[next] == ' ' || text[next] == '\t')) next++;
        if (next < n && text[next] == ':') wanted = depth == 1 && is_key(text + from, i - from, &person);
        else if (wanted && found < most) out[found++] = (place){from, i - from, 0, person}, wanted = false;
    }
    return found;
}

static void reviews(const char *path, uint64_t size, const char *to, uint64_t seed)
{
    size_t n, lines = 1;
    char *text = file_read(path, &n);
    for (size_t i = 0; i < n; i++) lines += text[i] == '\n';
    size_t most = 4 * lines;
    place *p = room(most, sizeof *p);
    size_t places = places_find(p, most, text, n);
    numbered people = numbered_new(most), items = numbered_new(most);
    for (size_t k = 0; k < places; k++) p[k].k = number_of(p[k].person ? &people : &items, text, p[k].at, p[k].n);
    if (!people.n || !items.n) fail(path, "no line names a person and an item");
    output o = output_open(to);
    bool ends = text[n - 1] == '\n';
    uint64_t rows = 0;
    for (uint64_t copy = 0; o.total + o.n < size; copy++) {
        size_t at = 0, k = 0;
        while (at < n && o.total + o.n < size) { /* a line */
            const char *end = memchr(text + at, '\n', n - at);
            size_t line_end = end ? (size_t)(end - text) + 1 : n;
            for (; k < places && p[k].at < line_end; k++) {
                char id[PERSON];
                output_add(&o, text + at, p[k].at - at);
                if (p[k].person) person_id(id, seed, p[k].k + people.n * copy);
                else item_id(id, seed, p[k].k + items.n * copy);
                output_add(&o, id, p[k].person ? PERSON : ITEM);
                at = p[k].at + p[k].n;
            }
            output_add(&o, text + at, line_end - at);
            at = line_end;
            rows++;
        }
        if (!ends) output_add(&o, "\n", 1);
    }
    output_close(&o);
    fprintf(stderr, "%s: %llu rows, %llu bytes\n", to, (unsigned long long)rows, (unsigned long long)o.total);
    tdm_free(text);
    tdm_free(p);
    tdm_free(people.k);
    tdm_free(people.at);
    tdm_free(people.length);
    tdm_free(items.k);
    tdm_free(items.at);
    tdm_free(items.length);
}

/* ---- ratings ---- */

enum { OF_LENGTHS = 1, OF_ROWS };

/* What a person's share of the rows is, before it is scaled. */
static double weight(uint64_t seed, uint64_t person)
{
    tdm_rng r = tdm_rng_make(seed, OF_LENGTHS, person);
    return exp(spread * tdm_rng_normal(&r));
}

static char *decimal(char *to, uint64_t x)
{
    char digits[20];
    size_t n = 0;
    do digits[n++] = (char)('0' + x % 10);
    while (x /= 10);
    while (n) *to++ = digits[--n];
    return to;
}

static void ratings(uint64_t rows, uint64_t people, uint64_t items, const char *to, uint64_t seed)
{
    const uint64_t first = 946684800, last = 1420070400; /* 2000 to 2015 */
    static const char stars[] = "5555555555554444333221115";
    if (!people || !items || rows < people) fail("ratings", "expected at least one item, and a row for each person");
    if (items >= UINT32_MAX || people >= UINT32_MAX) fail("ratings", "more people or items than an index can hold");
    uint32_t *had_by = room(items, sizeof *had_by); /* the last person who chose it, from 1 */
    double total = 0, before = 0, steps = log(((double)items + shift) / shift);
    for (uint64_t u = 0; u < people; u++) total += weight(seed, u);
    output o = output_open(to);
    output_add(&o, "user,item,rating,timestamp\n", 27);
    uint64_t given = 0; /* of the rows beyond everyone's first */
    for (uint64_t u = 0; u < people; u++) {
        before += weight(seed, u);
        uint64_t upto = u + 1 == people ? rows - people : (uint64_t)((double)(rows - people) * (before / total));
        uint64_t n = 1 + (upto > given ? upto - given : 0);
        given += n - 1;
        tdm_rng r = tdm_rng_make(seed, OF_ROWS, u);
        char user[PERSON];
        person_id(user, seed, u);
        uint64_t time = first + tdm_rng_below(&r, (last - first) / 2), step = (last - first) / 2 / n + 1;
        for (uint64_t k = 0; k < n; k++) {
            uint64_t item = 0;
            for (int again = 0; again < AGAIN; again++) {
                item = (uint64_t)(shift * exp(tdm_rng_unit(&r) * steps) - shift);
                if (item >= items) item = items - 1; /* rounding */
                if (had_by[item] != (uint32_t)u + 1) break;
            }
            had_by[item] = (uint32_t)u + 1;
            uint64_t drawn = tdm_rng_u64(&r);
            time += 1 + (drawn >> 8) % step;
            if (BUFFER - o.n < LONGEST_ROW) output_flush(&o);
            char *p = o.p + o.n;
            memcpy(p, user, PERSON);
            p += PERSON;
            *p++ = ',';
            item_id(p, seed, item);
            p += ITEM;
            *p++ = ',';
            *p++ = stars[(drawn & 255) % (sizeof stars - 1)];
            *p++ = '.';
            *p++ = '0';
            *p++ = ',';
            p = decimal(p, time);
            *p++ = '\n';
            o.n = (size_t)(p - o.p);
        }
    }
    output_close(&o);
    fprintf(stderr, "%s: %llu rows, %llu bytes\n", to, (unsigned long long)rows, (unsigned long long)o.total);
    tdm_free(had_by);
}

int main(int n, char **word)
{
    if ((n == 5 || n == 6) && !strcmp(word[1], "reviews"))
        reviews(word[2], number(word[3]), word[4], n > 5 ? number(word[5]) : 1);
    else if ((n == 6 || n == 7) && !strcmp(word[1], "ratings"))
        ratings(number(word[2]), number(word[3]), number(word[4]), word[5], n > 6 ? number(word[6]) : 1);
    else {
        fprintf(stderr, "usage: bench_make_log reviews FILE.json SIZE OUT [SEED]\n"
                        "       bench_make_log ratings ROWS PEOPLE ITEMS OUT [SEED]\n");
        return 2;
    }
    return 0;
}
