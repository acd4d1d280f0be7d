/* SPDX-License-Identifier: Apache-2.0 */
/* object.c - a walk along the tokens that marks.cpp finds.
 *
 *     {"asin": "B00", "helpful": [0, 1]}      tokens  { " : " , " : [ 0 , 1 ] }
 *
 * A token runs up to the next one; what is left of it without the white space behind has to be a whole string, number
 * or word. Values that need no change are pieces of the text; the others are put together in `room`, one behind the
 * other in the order of the values, so that their places need not be kept while the room grows. A text that is no JSON
 * is tried again: with its bytes and control characters mended, then from Python. */
#include "data/object.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "data/clean.h"
#include "data/marks.h"
#include "data/python.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 1024 };

struct tdm_objects {
    tdm_marks *marks;
    tdm_buf room;         /* changed values */
    tdm_buf fixed, piece; /* the text mended, and one string of it */
    tdm_buf json;         /* the text out of Python */
    tdm_object_value *value;
    size_t values, cap;
    bool nomem;
};

tdm_status tdm_objects_open(tdm_objects **out, tdm_err *err)
{
    *out = tdm_new(1, sizeof **out);
    if (*out) (*out)->marks = tdm_json_marks_open();
    if (*out && (*out)->marks) return TDM_OK;
    tdm_objects_close(*out);
    *out = NULL;
    return tdm_nomem(err, "a reader of objects");
}

void tdm_objects_close(tdm_objects *o)
{
    if (!o) return;
    tdm_json_marks_close(o->marks);
    tdm_buf_clear(&o->room);
    tdm_buf_clear(&o->fixed);
    tdm_buf_clear(&o->piece);
    tdm_buf_clear(&o->json);
    tdm_free(o->value);
    tdm_free(o);
}

/* ---- strings ---- */

static int hex4(const char *p)
{
    int v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (d < 0) return -1;
        v = v << 4 | d;
    }
    return v;
}

static char *put(char *to, uint32_t c)
{
    if (c < 0x80) *to++ = (char)c;
    else if (c < 0x800) *to++ = (char)(0xc0 | c >> 6);
    else {
        if (c < 0x10000) *to++ = (char)(0xe0 | c >> 12);
        else {
            *to++ = (char)(0xf0 | c >> 18);
            *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        }
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
    }
    if (c >= 0x80) *to++ = (char)(0x80 | (c & 0x3f));
    return to;
}

/* The escape \uXXXX at *p, with its other half where it has one. NULL: it is none. */
static char *put_u(char *to, const char **p, const char *end)
{
    const char *s = *p;
    int c = end - s < 6 ? -1 : hex4(s + 2), low;
    if (c < 0) return NULL;
    *p = s + 6;
    if (c >= 0xd800 && c < 0xdc00 && end - s >= 12 && s[6] == '\\' && s[7] == 'u' && (low = hex4(s + 8)) >= 0xdc00 &&
        low < 0xe000) {
        *p = s + 12;
        c = 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00));
    }
    return put(to, c == 0 || (c >= 0xd800 && c < 0xe000) ? 0xfffd : (uint32_t)c);
}

/* Writes the string s, which has a backslash at `back`, unescaped behind room's end without making it longer; a string
 * never gets longer by that. Returns its length, SIZE_MAX: an escape is wrong, or memory is short. */
static size_t unescape(tdm_objects *o, tdm_str s, const char *back)
{
    if (tdm_grow(&o->room.p, &o->room.cap, o->room.n + s.n + 1, 1)) {
        o->nomem = true;
        return SIZE_MAX;
    }
    char *from = o->room.p + o->room.n, *to = from;
    const char *p = s.p, *end = s.p + s.n;
    for (; back; back = memchr(p, '\\', (size_t)(end - p))) {
        static const char name[] = "\"\\/bfnrt", is[] = "\"\\/\b\f\n\r\t";
        memcpy(to, p, (size_t)(back - p));
        to += back - p;
        p = back;
        const char *k = end - p < 2 || !p[1] ? NULL : strchr(name, p[1]);
        if (k) {
            *to++ = is[k - name];
            p += 2;
        } else if (end - p < 2 || p[1] != 'u' || !(to = put_u(to, &p, end))) return SIZE_MAX;
    }
    memcpy(to, p, (size_t)(end - p));
    return (size_t)(to + (end - p) - from);
}

/* ---- numbers and words ---- */

typedef enum word { WORD_BAD, WORD_NONE, WORD_TEXT, WORD_DOUBLE } word;

static size_t digits(tdm_str t, size_t *at)
{
    size_t from = *at;
    while (*at < t.n && t.p[*at] >= '0' && t.p[*at] <= '9') ++*at;
    return *at - from;
}

static inline bool is(tdm_str t, const char *s, size_t n) { return t.n == n && !memcmp(t.p, s, n); }

/* What a token is that is no string: nothing, a text (*t is cut to it) or a number to be written out as a double. */
static word word_of(tdm_str *t)
{
    if (is(*t, "true", 4) || is(*t, "false", 5)) return WORD_TEXT;
    if (is(*t, "null", 4) || is(*t, "NaN", 3) || is(*t, "nan", 3) || is(*t, "Infinity", 8) || is(*t, "-Infinity", 9))
        return WORD_NONE;
    bool minus = t->p[0] == '-', point = false, power = false;
    size_t at = minus || t->p[0] == '+', begin = at, whole = digits(*t, &at), end = at, part = 0;
    if (at < t->n && t->p[at] == '.') {
        at++;
        part = digits(*t, &at);
        for (size_t i = end + 1; i < at; i++) point |= t->p[i] != '0';
    }
    if (!whole && !part) return WORD_BAD;
    if (at < t->n && (t->p[at] | 32) == 'e') {
        at++;
        at += at < t->n && (t->p[at] == '-' || t->p[at] == '+');
        if (!digits(*t, &at)) return WORD_BAD;
        power = true;
    }
    if (at != t->n) return WORD_BAD;
    if (power || !whole) return WORD_DOUBLE;
    if (point) return WORD_TEXT;
    bool zero = end - begin == 1 && t->p[begin] == '0';
    if (!minus || zero) t->p += begin, t->n = end - begin;
    else t->n = end;
    return WORD_TEXT;
}

/* Appends a number with a power, or without digits before the point. */
static void double_add(tdm_buf *room, tdm_str t)
{
    char copy[64];
    double d = NAN;
    if (t.n < sizeof copy) {
        memcpy(copy, t.p, t.n);
        copy[t.n] = 0;
        d = strtod(copy, NULL);
    }
    if (floor(d) == d && fabs(d) < 0x1p63) tdm_buf_fmt(room, "%lld", (long long)d);
    else tdm_buf_add(room, t.p, t.n);
}

/* ---- the walk ---- */

typedef struct walk {
    tdm_objects *o;
    tdm_str text;
    const uint32_t *at;
    size_t count, i;  /* tokens; the next one */
    int slot;         /* of the member that is read, -1: passed over */
    const char *back; /* the next backslash at or behind what was read last, else the text's end */
    bool list;        /* what it gives goes into the list that began at `begin` of the room */
    size_t begin;
} walk;

/* Token i up to the next one, without the white space between. */
static inline tdm_str token(const walk *w, size_t i)
{
    const char *p = w->text.p + w->at[i], *end = w->text.p + (i + 1 < w->count ? w->at[i + 1] : w->text.n);
    while (end > p + 1 && (end[-1] == ' ' || end[-1] == '\n' || end[-1] == '\t' || end[-1] == '\r')) end--;
    return (tdm_str){p, (size_t)(end - p)};
}

/* A value; p NULL: the next `n` bytes of the room. */
static void value_add(walk *w, const char *p, size_t n)
{
    tdm_objects *o = w->o;
    if (o->values == o->cap && tdm_grow(&o->value, &o->cap, o->values + 1, sizeof *o->value)) {
        o->nomem = true;
        return;
    }
    o->value[o->values++] = (tdm_object_value){w->slot, {p, n}};
}

/* A member of the list: `n` bytes at p, or behind the room's end where p is NULL. */
static void line_add(walk *w, const char *p, size_t n)
{
    tdm_buf *room = &w->o->room;
    if (!n) return;
    size_t gap = room->n > w->begin;
    if (tdm_grow(&room->p, &room->cap, room->n + n + 2, 1)) {
        w->o->nomem = true;
        return;
    }
    char *to = room->p + room->n;
    memmove(to + gap, p ? p : to, n);
    if (gap) *to = '\n';
    room->n += n + gap;
}

/* The string that is token i, unescaped; p NULL: behind the room's end. False: it is none. */
static inline bool string_token(walk *w, tdm_str *t, size_t i)
{
    *t = token(w, i);
    if (t->n < 2 || t->p[t->n - 1] != '"') return false;
    t->p++, t->n -= 2;
    if (w->back < t->p) { /* one search finds what many strings need not look for */
        const char *end = w->text.p + w->text.n;
        w->back = memchr(t->p, '\\', (size_t)(end - t->p));
        if (!w->back) w->back = end;
    }
    if (w->back >= t->p + t->n) return true;
    t->n = unescape(w->o, *t, w->back);
    t->p = NULL;
    return t->n != SIZE_MAX;
}

static bool string_read(walk *w)
{
    tdm_str t;
    if (!string_token(w, &t, w->i++)) return false;
    if (w->slot < 0) return true;
    if (w->list) line_add(w, t.p, t.n);
    else {
        value_add(w, t.p, t.n);
        if (!t.p) w->o->room.n += t.n;
    }
    return true;
}

static bool word_read(walk *w)
{
    tdm_str t = token(w, w->i++);
    word k = word_of(&t);
    if (k == WORD_BAD || w->slot < 0 || k == WORD_NONE) return k != WORD_BAD;
    if (k == WORD_DOUBLE) {
        tdm_buf *room = &w->o->room;
        size_t was = room->n;
        double_add(room, t);
        t = (tdm_str){NULL, room->n - was};
        w->o->nomem |= room->failed;
        room->n = was;
    }
    if (w->list) line_add(w, t.p, t.n);
    else {
        value_add(w, t.p, t.n);
        if (!t.p) w->o->room.n += t.n;
    }
    return true;
}

static bool key_read(walk *w, bool outer, tdm_object_want *want, void *ctx)
{
    if (w->i + 1 >= w->count || w->text.p[w->at[w->i]] != '"' || w->text.p[w->at[w->i + 1]] != ':') return false;
    tdm_str t;
    if (!string_token(w, &t, w->i)) return false;
    w->i += 2;
    if (!t.p) t.p = w->o->room.p + w->o->room.n;
    if (outer) w->slot = want(ctx, t);
    return true;
}

/* Whether the tokens are one whole object; its values into w->o. */
static bool walk_object(walk *w, tdm_object_want *want, void *ctx)
{
    bool object[DEEPEST + 1]; /* what stands at each depth */
    size_t depth = 0, inside = 0 /* objects within the member */;
    int slot = -1;
    const char *p = w->text.p;
    if (!w->count || w->at[0] || p[0] != '{') return false;
    for (;;) {
        /* at a value */
        if (w->i >= w->count || w->o->nomem) return false;
        char c = p[w->at[w->i]];
        if (c == '{' || c == '[') {
            if (depth == DEEPEST) return false;
            object[++depth] = c == '{';
            w->i++;
            if (c == '{' && depth > 1 && !inside++) slot = w->slot, w->slot = -1;
            if (c == '[' && depth == 2) w->list = true, w->begin = w->o->room.n;
            if (w->i < w->count && p[w->at[w->i]] == (c == '{' ? '}' : ']')) goto close;
            if (c == '[') continue;
            if (!key_read(w, depth == 1, want, ctx)) return false;
            continue;
        }
        if (!(c == '"' ? string_read(w) : word_read(w))) return false;
    behind:
        if (w->i >= w->count) return false;
        c = p[w->at[w->i]];
        if (c == ',') {
            w->i++;
            if (object[depth] && !key_read(w, depth == 1, want, ctx)) return false;
            continue;
        }
        if (c != (object[depth] ? '}' : ']')) return false;
    close:
        w->i++;
        if (object[depth] && depth > 1 && !--inside) w->slot = slot;
        if (!object[depth] && depth == 2) {
            if (w->slot >= 0) value_add(w, NULL, w->o->room.n - w->begin);
            w->list = false;
        }
        if (!--depth) return w->i == w->count;
        goto behind;
    }
}

static tdm_json_marks_found attempt(tdm_objects *o, bool *whole, tdm_str text, tdm_object_want *want, void *ctx)
{
    walk w = {.o = o, .text = text, .slot = -1, .back = text.p};
    *whole = false;
    tdm_json_marks_found found = tdm_json_marks_find(o->marks, &w.at, &w.count, text.p, text.n);
    if (found == TDM_MARKS_NOMEM) o->nomem = true;
    if (found != TDM_MARKS_OK) return found;
    o->values = 0;
    o->room.n = 0;
    *whole = walk_object(&w, want, ctx) && !o->nomem;
    return found;
}

/* ---- mending ---- */

/* Makes what stands between the quotes UTF-8, each string for itself, without control characters. */
static tdm_str mend(tdm_objects *o, tdm_str text)
{
    tdm_buf *out = &o->fixed;
    tdm_buf_reset(out);
    bool inside = false;
    for (size_t i = 0; i < text.n;) {
        size_t from = i;
        while (i < text.n && text.p[i] != '"') i += inside && text.p[i] == '\\' && i + 1 < text.n ? 2 : 1;
        tdm_buf_reset(&o->piece);
        tdm_clean_utf8(&o->piece, (tdm_str){text.p + from, i - from});
        for (size_t k = 0; inside && k < o->piece.n; k++) {
            char c = o->piece.p[k];
            if ((unsigned char)c < ' ') {
                bool escaped = k && o->piece.p[k - 1] == '\\';
                for (size_t b = k; escaped && b > 1 && o->piece.p[b - 2] == '\\'; b--) escaped = !escaped;
                if (escaped) out->n--; /* "\" before a line's end */
                if (c == '\n' || c == '\t') tdm_buf_str(out, c == '\n' ? "\\n" : "\\t");
                else tdm_buf_char(out, ' ');
            } else tdm_buf_char(out, c);
        }
        if (!inside) tdm_buf_add(out, o->piece.p, o->piece.n);
        if (i < text.n) tdm_buf_char(out, '"'), i++;
        inside = !inside;
    }
    o->nomem |= out->failed || o->piece.failed;
    return (tdm_str){out->p, o->nomem ? 0 : out->n};
}

/* ---- the object ---- */

static bool read_mended(tdm_objects *o, tdm_str text, tdm_object_want *want, void *ctx)
{
    bool whole;
    tdm_json_marks_found found = attempt(o, &whole, text, want, ctx);
    if ((found == TDM_MARKS_NOT_UTF8 || found == TDM_MARKS_CONTROL) && !o->nomem) {
        text = mend(o, text);
        if (!o->nomem) attempt(o, &whole, text, want, ctx);
    }
    return whole;
}

tdm_status tdm_object_read(tdm_objects *o, tdm_str text, tdm_object_want *want, void *ctx, bool *python,
                           const tdm_object_value **values, size_t *n, bool *whole, tdm_err *err)
{
    *n = 0;
    *values = NULL;
    *whole = o->nomem = false;
    text = tdm_str_trim(text);
    if (text.n < 2 || text.p[0] != '{' || text.p[text.n - 1] != '}') return TDM_OK;
    *whole = read_mended(o, text, want, ctx);
    if (!*whole && !o->nomem) {
        tdm_buf_reset(&o->json);
        tdm_python_json(&o->json, text);
        o->nomem = o->json.failed;
        *whole = !o->nomem && read_mended(o, (tdm_str){o->json.p, o->json.n}, want, ctx);
        if (*whole && memchr(text.p, '\'', text.n)) *python = true;
    }
    if (o->nomem) {
        tdm_buf_clear(&o->room); /* and with them the marks of failure */
        tdm_buf_clear(&o->fixed);
        tdm_buf_clear(&o->piece);
        tdm_buf_clear(&o->json);
        *whole = false;
        return tdm_nomem(err, "an object of a file");
    }
    if (!*whole) return TDM_OK;
    size_t at = 0;
    for (size_t i = 0; i < o->values; i++) {
        tdm_str *t = &o->value[i].text;
        if (t->p) continue;
        t->p = t->n ? o->room.p + at : "";
        at += t->n;
    }
    *values = o->value;
    *n = o->values;
    return TDM_OK;
}
