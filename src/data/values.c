/* SPDX-License-Identifier: Apache-2.0 */
#include "data/values.h"

#include <string.h>

enum { LONGEST = 16 << 20 }; /* an object open for longer than this is taken for broken */

static bool filler(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == ',' || c == '[' || c == ']'; }

tdm_str tdm_value_strip(tdm_str s)
{
    while (s.n && filler(s.p[0])) s.p++, s.n--;
    while (s.n && filler(s.p[s.n - 1])) s.n--;
    return s;
}

/* Whether a line that begins with an object begins at p: what follows a line end inside of quotes, it says that they
 * never close. */
static bool object_line(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == ',' || *p == '[')) p++;
    return p < end && *p == '{';
}

/* How much to leave behind where a broken piece begins: of an object all up to the next line that begins with one, of
 * anything else its line. 0: more is needed. */
static size_t broken_length(tdm_str s, bool last)
{
    const char *end = s.p + s.n, *p = s.p;
    while ((p = memchr(p, '\n', (size_t)(end - p)))) {
        p++;
        bool far = (size_t)(p - s.p) > LONGEST;
        if (s.p[0] != '{' || far || object_line(p, end)) return (size_t)(p - s.p);
    }
    return last ? s.n : 0;
}

size_t tdm_value_next(tdm_str *value, bool *broken, tdm_str ahead, bool last)
{
    size_t at = 0, depth = 0, i;
    const char *end = ahead.p + ahead.n;
    char quote = 0, before = 0; /* before: the last letter outside of quotes that is no white space */
    bool lost = false;
    *value = (tdm_str){"", 0};
    *broken = false;
    while (at < ahead.n && filler(ahead.p[at])) at++;
    if (at == ahead.n) return at;
    for (i = at; i < ahead.n && i - at < LONGEST && !lost; i++) {
        char c = ahead.p[i];
        if (i == at && c != '{') break;
        if (quote) {
            if (c == '\\') i++;
            else if (c == quote) quote = 0;
            else if (c == '\n') lost = object_line(ahead.p + i + 1, end);
        } else if (c == '"' || c == '\'') quote = c; /* JSON has ' only inside of " */
        else if (c == '{') {
            lost = before == '}'; /* nowhere inside of an object does one follow another so */
            depth++;
        } else if (c == '}' && --depth == 0) {
            *value = (tdm_str){ahead.p + at, i + 1 - at};
            return i + 1;
        }
        if (!quote && c > ' ') before = c;
    }
    if (!lost && i >= ahead.n && i - at < LONGEST && !last) return 0;
    *broken = true;
    size_t n = broken_length((tdm_str){ahead.p + at, ahead.n - at}, last);
    if (!n) return 0;
    *value = (tdm_str){ahead.p + at, n};
    if (ahead.p[at + n - 1] == '\n') value->n--;
    return at + n;
}
