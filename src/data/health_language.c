/* SPDX-License-Identifier: Apache-2.0 */
/* health_language.c - which languages the texts are in, guessed from a sample.
 *
 * A text whose letters are mostly of one script other than Latin is of that script. A Latin text goes to the language
 * most of whose little words it has: two at least, and more than any other language's, else it is unknown; three words
 * of a title seldom say. The lists are the commonest articles, pronouns, prepositions, conjunctions and auxiliaries
 * that any grammar of the language names, written down for this purpose. A word that two languages share counts for
 * both. */
#include "data/health_parts.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* name, words */
#define LANGUAGES(X)                                                                                                   \
    X(ENGLISH, "English",                                                                                              \
      "the and of to in is it that was for on with as you this are be have not but they from my we at or so very")     \
    X(GERMAN, "German",                                                                                                \
      "der die das und ist nicht ein eine zu mit den von ich auf für es sich auch dem im sehr aber wie war man nur "  \
      "so")                                                                                                            \
    X(FRENCH, "French",                                                                                                \
      "le la les et est un une de des du pas que qui pour dans ce il elle je ne sur avec très mais au en plus sont")   \
    X(SPANISH, "Spanish",                                                                                              \
      "el la los las y es un una de del no que por para con en se lo su muy pero como al más este son me está")        \
    X(PORTUGUESE, "Portuguese",                                                                                        \
      "o os as e é um uma de do da não que por para com em se muito mas como ao mais este são no na dos foi")          \
    X(ITALIAN, "Italian",                                                                                              \
      "il lo la gli le e è un una di del della non che per con in si ma come al più questo sono molto nel anche da")   \
    X(DUTCH, "Dutch",                                                                                                  \
      "de het een en is van niet dat ik op te met voor zijn maar er aan ook als bij heel goed naar deze dit wel om")   \
    X(SWEDISH, "Swedish",                                                                                              \
      "och att det är en ett som på för med av inte jag den till har om var men så mycket från kan de vi")             \
    X(POLISH, "Polish", "i w nie na się z do to jest że jak ale o po co tak za od tylko dla przez bardzo są już być")  \
    X(TURKISH, "Turkish",                                                                                              \
      "ve bir bu da de için çok ile ama ne gibi daha en o var kadar sonra olarak olan değil güzel ben")                \
    X(RUSSIAN, "Russian", "и в не на я что с как это по но а для очень так все от за из у к мне было он она есть")     \
    X(UKRAINIAN, "Ukrainian", "і в не на я що з як це по але а для дуже так від за із у до мені було він вона є та")

enum {
#define X(id, name, words) id,
    LANGUAGES(X)
#undef X
        WORDED,
    HAN = WORDED,
    KANA,
    HANGUL,
    ARABIC,
    HEBREW,
    GREEK,
    THAI,
    DEVANAGARI,
    CYRILLIC,
    UNKNOWN,
    OTHER, /* each under 1 % */
    NAMES
};

static const char *const names[NAMES] = {
#define X(id, name, words) name,
    LANGUAGES(X)
#undef X
        "Chinese",
    "Japanese",
    "Korean",
    "Arabic script",
    "Hebrew",
    "Greek",
    "Thai",
    "Devanagari script",
    "Cyrillic script",
    "unknown",
    "other"};

enum { SAMPLE = 2000, LOOK = 1000 /* bytes of a text */, SLOTS = 2048, LONGEST = 16 };

typedef struct lexicon {
    struct {
        tdm_str word;
        uint32_t of; /* a bit for each language */
    } slot[SLOTS];
} lexicon;

static uint32_t *look_up(lexicon *x, tdm_str word, bool add)
{
    size_t at = XXH3_64bits(word.p, word.n) & (SLOTS - 1);
    while (x->slot[at].word.n && !tdm_str_eq(x->slot[at].word, word)) at = (at + 1) & (SLOTS - 1);
    if (!x->slot[at].word.n) {
        if (!add) return NULL;
        x->slot[at].word = word;
    }
    return &x->slot[at].of;
}

static void lexicon_fill(lexicon *x)
{
    static const char *const words[] = {
#define X(id, name, list) list,
        LANGUAGES(X)
#undef X
    };
    for (int k = 0; k < WORDED; k++)
        for (const char *p = words[k]; *p;) {
            size_t n = strcspn(p, " ");
            *look_up(x, (tdm_str){p, n}, true) |= 1u << k;
            p += n + (p[n] == ' ');
        }
}

/* ---- one text ---- */

/* Which script a letter is of: one of the names above, ENGLISH for any Latin letter, -1 for what is no letter. */
static int script(uint32_t c)
{
    static const struct {
        uint32_t from, to;
        int of;
    } ranges[] = {{'A', 'Z', ENGLISH},      {'a', 'z', ENGLISH},    {0xc0, 0x24f, ENGLISH}, {0x370, 0x3ff, GREEK},
                  {0x400, 0x52f, CYRILLIC}, {0x590, 0x5ff, HEBREW}, {0x600, 0x6ff, ARABIC}, {0x900, 0x97f, DEVANAGARI},
                  {0xe00, 0xe7f, THAI},     {0x3040, 0x30ff, KANA}, {0x3400, 0x4dbf, HAN},  {0x4e00, 0x9fff, HAN},
                  {0xac00, 0xd7a3, HANGUL}};
    for (size_t k = 0; k < sizeof ranges / sizeof *ranges; k++)
        if (c >= ranges[k].from && c <= ranges[k].to) return ranges[k].of;
    return -1;
}

static uint32_t lower(uint32_t c)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x410 && c <= 0x42f)) return c + 32;
    return c >= 0x400 && c <= 0x40f ? c + 80 : c;
}

typedef struct reading {
    size_t letters[NAMES], all, hits[WORDED];
} reading;

static void read_text(reading *r, lexicon *x, tdm_str s)
{
    tdm_buf word = {0};
    s = tdm_utf8_cut(s, LOOK);
    for (;;) {
        uint32_t c = ' ';
        size_t used = s.n ? tdm_utf8_next(s, &c) : 0;
        int of = used ? script(c) : -1;
        s.p += used;
        s.n -= used;
        if (of >= 0) {
            r->letters[of]++;
            r->all++;
            tdm_utf8_add(&word, lower(c));
        } else if (word.n) {
            uint32_t *in = word.n <= LONGEST ? look_up(x, (tdm_str){word.p, word.n}, false) : NULL;
            for (int k = 0; in && k < WORDED; k++) r->hits[k] += *in >> k & 1;
            tdm_buf_reset(&word);
        }
        if (!used) break;
    }
    tdm_buf_clear(&word);
}

static int verdict(const reading *r)
{
    if (r->letters[KANA] && 2 * (r->letters[KANA] + r->letters[HAN]) > r->all) return KANA;
    for (int k = HAN; k < CYRILLIC; k++)
        if (2 * r->letters[k] > r->all) return k;
    bool cyrillic = 2 * r->letters[CYRILLIC] > r->all;
    int best = UNKNOWN;
    size_t most = 1, second = 0;
    for (int k = 0; k < WORDED; k++) {
        if (r->hits[k] > most) second = most, most = r->hits[k], best = k;
        else if (r->hits[k] > second) second = r->hits[k];
    }
    if (best != UNKNOWN && most > second) return best;
    return cyrillic ? CYRILLIC : UNKNOWN;
}

/* ---- the sample ---- */

typedef struct texts {
    const tdm_strings *a, *b; /* read one after the other; b may be NULL */
    const uint32_t *row;      /* the place of text j, or NULL: j */
    size_t n;
} texts;

/* Sampled evenly over all places: from each the next text on. */
static size_t sample(size_t count[NAMES], const texts *t, lexicon *x)
{
    size_t read = 0;
    for (size_t k = 0; k < SAMPLE; k++) {
        size_t j = (size_t)((double)k * (double)t->n / SAMPLE), end = (size_t)((double)(k + 1) * (double)t->n / SAMPLE);
        for (; j < end; j++) {
            size_t at = t->row ? t->row[j] : j;
            tdm_str a = tdm_health_at(t->a, at), b = t->b ? tdm_health_at(t->b, at) : (tdm_str){"", 0};
            if (!a.n && !b.n) continue;
            reading r = {0};
            read_text(&r, x, a);
            read_text(&r, x, b);
            count[verdict(&r)]++;
            read++;
            break;
        }
    }
    return read;
}

static cJSON *shares(size_t count[NAMES], size_t read)
{
    cJSON *o = cJSON_CreateObject();
    bool ok = o;
    for (int k = 0; k < UNKNOWN; k++)
        if (count[k] * 100 < read) count[OTHER] += count[k], count[k] = 0;
    while (ok) { /* the most frequent first; the last two stay last */
        int best = NAMES;
        for (int k = 0; k < UNKNOWN; k++)
            if (count[k] && (best == NAMES || count[k] > count[best])) best = k;
        if (best == NAMES) best = count[OTHER] ? OTHER : UNKNOWN;
        if (!count[best]) break;
        ok = tdm_health_number(o, names[best], (double)count[best] / (double)read);
        count[best] = 0;
    }
    if (ok) return o;
    cJSON_Delete(o);
    return NULL;
}

static bool language_add(cJSON *h, const char *key, const texts *t, bool any, lexicon *x)
{
    size_t count[NAMES] = {0}, read = any ? sample(count, t, x) : 0;
    return tdm_health_put(h, key, shares(count, read));
}

tdm_status tdm_health_languages(cJSON *h, const tdm_dataset *d, size_t texts_n, size_t titles_n, tdm_err *err)
{
    lexicon *x = tdm_new(1, sizeof *x);
    texts reviews = {&d->summary, &d->review, d->row, d->N}, titles = {&d->title, NULL, NULL, d->I};
    if (x) lexicon_fill(x);
    bool ok = x && language_add(h, "text_languages", &reviews, texts_n > 0, x) &&
              language_add(h, "title_languages", &titles, titles_n > 0, x);
    tdm_free(x);
    return ok ? TDM_OK : tdm_nomem(err, "the health table");
}
