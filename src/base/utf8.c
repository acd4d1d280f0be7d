/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <string.h>

size_t tdm_utf8_next(tdm_str s, uint32_t *c)
{
    const unsigned char *p = (const unsigned char *)s.p;
    uint32_t first = p[0], least;
    size_t n;
    *c = first;
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first < 0xe0) n = 2, first &= 0x1f, least = 0x80;
    else if ((first & 0xf0) == 0xe0) n = 3, first &= 0x0f, least = 0x800;
    else if (first >= 0xf0 && first < 0xf5) n = 4, first &= 0x07, least = 0x10000;
    else n = 0, least = 0;
    *c = TDM_UTF8_BAD;
    if (n == 0 || s.n < n) return 1;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) return 1;
        first = first << 6 | (p[i] & 0x3f);
    }
    if (first < least || first > 0x10ffff || (first >= 0xd800 && first < 0xe000)) return 1;
    *c = first;
    return n;
}

bool tdm_utf8_valid(tdm_str s)
{
    while (s.n) {
        for (uint64_t w; s.n >= 8; s.p += 8, s.n -= 8) { /* most text is mostly ASCII */
            memcpy(&w, s.p, 8);
            if (w & 0x8080808080808080) break;
        }
        for (; s.n && (unsigned char)s.p[0] < 0x80; s.p++) s.n--;
        while (s.n && (unsigned char)s.p[0] >= 0x80) {
            uint32_t c;
            size_t n = tdm_utf8_next(s, &c);
            if (c == TDM_UTF8_BAD) return false;
            s.p += n;
            s.n -= n;
        }
    }
    return true;
}

tdm_str tdm_utf8_cut(tdm_str s, size_t n)
{
    if (s.n <= n) return s;
    while (n && ((unsigned char)s.p[n] & 0xc0) == 0x80) n--;
    return (tdm_str){s.p, n};
}

void tdm_utf8_add(tdm_buf *b, uint32_t c)
{
    if (c < 0x80) {
        tdm_buf_char(b, (char)c);
        return;
    }
    if (c < 0x800) tdm_buf_char(b, (char)(0xc0 | c >> 6));
    else {
        if (c < 0x10000) tdm_buf_char(b, (char)(0xe0 | c >> 12));
        else {
            tdm_buf_char(b, (char)(0xf0 | c >> 18));
            tdm_buf_char(b, (char)(0x80 | (c >> 12 & 0x3f)));
        }
        tdm_buf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
    }
    tdm_buf_char(b, (char)(0x80 | (c & 0x3f)));
}
