/* SPDX-License-Identifier: Apache-2.0 */
#include "hybrid/tidy.h"

#include "base/utf8.h"

static const char ellipsis[] = "\xe2\x80\xa6";

bool tdm_tidy_blank(uint32_t c)
{
    return c <= 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0xad || c == 0x1680 || c == 0x180e ||
           (c >= 0x2000 && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f) || (c >= 0x205f && c <= 0x206f) ||
           c == 0x3000 || c == 0xfeff;
}

bool tdm_tidy_letter(uint32_t c)
{
    if (c < 0x80) return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
    return c >= 0xc0 && c != 0xd7 && c != 0xf7 && !(c >= 0x2000 && c <= 0x2bff) && !(c >= 0x3000 && c <= 0x303f) &&
           c < TDM_UTF8_BAD;
}

void tdm_tidy(tdm_buf *out, tdm_str text, size_t most)
{
    size_t begin = out->n;
    bool gap = false, cut = false;
    while (text.n && !cut) {
        uint32_t c;
        size_t n = tdm_utf8_next(text, &c);
        if (c == TDM_UTF8_BAD || tdm_tidy_blank(c)) {
            gap = out->n > begin;
        } else if (out->n - begin + gap + n > most) {
            cut = true;
        } else {
            if (gap) tdm_buf_char(out, ' ');
            tdm_buf_add(out, text.p, n);
            gap = false;
        }
        text.p += n;
        text.n -= n;
    }
    if (!cut || out->failed) return;
    size_t room = begin + (most > 3 ? most - 3 : 0), word = out->n < room ? out->n : room;
    while (word > begin && word < out->n && out->p[word] != ' ') word--;
    if (word - begin >= most / 2) out->n = word;
    else if (out->n > room) out->n = begin + tdm_utf8_cut((tdm_str){out->p + begin, out->n - begin}, room - begin).n;
    while (out->n > begin && out->p[out->n - 1] == ' ') out->n--;
    tdm_buf_str(out, ellipsis);
}

tdm_str tdm_tidy_sentence(tdm_str text, size_t least, size_t most)
{
    size_t begin = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool end = (c == '.' || c == '!' || c == '?') && (i + 1 == text.n || text.p[i + 1] == ' ');
        if (!end) continue;
        size_t n = i + 1 - begin;
        if (n >= least && n <= most) return (tdm_str){text.p + begin, n};
        begin = i + 1;
        while (begin < text.n && text.p[begin] == ' ') begin++;
    }
    return (tdm_str){text.p, 0};
}
