/* SPDX-License-Identifier: Apache-2.0 */
#include "content/words.h"
#include "base/utf8.h"

#include <string.h>

/* Code points above ASCII that separate words. */
static bool separates(uint32_t c)
{
    return c < 0xC0 ? c != 0xAA && c != 0xB5 && c != 0xBA   /* Latin-1 signs, but for the ordinals and micro */
                    : c == 0xD7 || c == 0xF7                /* times, divided by */
                          || (c >= 0x2000 && c < 0x2C00)    /* spaces, punctuation, currency, arrows, boxes */
                          || (c >= 0x2E00 && c < 0x2E80)    /* more punctuation */
                          || (c >= 0x3000 && c < 0x3005)    /* ideographic space, comma, stop */
                          || (c >= 0x3008 && c < 0x3021)    /* brackets */
                          || (c >= 0xE000 && c < 0xF900)    /* private use */
                          || (c >= 0xFE10 && c < 0xFE70)    /* vertical and small forms */
                          || (c >= 0xFF00 && c < 0xFF10)    /* full-width marks */
                          || (c >= 0x1F000 && c < 0x1FB00); /* pictures */
}

static uint32_t lower(uint32_t c)
{
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (c >= 0xC0 && c <= 0xDE) return c + 32; /* Latin-1 */
    if (c == 0x178) return 0xFF;
    bool odd_upper = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
    if (c >= 0x100 && c <= 0x17E && c != 0x131 && c != 0x138 && c != 0x149) /* Latin Extended-A comes in pairs */
        return odd_upper ? c + (c & 1) : c | 1;
    if (c >= 0x391 && c <= 0x3A9) return c + 32; /* Greek */
    if (c >= 0x410 && c <= 0x42F) return c + 32; /* Cyrillic */
    return c >= 0x400 && c <= 0x40F ? c + 80 : c;
}

/* The character as a word has it, 0 where it separates. */
static uint32_t letter(uint32_t c)
{
    bool ascii = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (c < 0x80) return ascii ? lower(c) : 0;
    return c == TDM_UTF8_BAD || separates(c) ? 0 : lower(c);
}

static size_t encode(char *out, uint32_t c)
{
    if (c < 0x80) return out[0] = (char)c, 1;
    if (c < 0x800) return out[0] = (char)(0xC0 | c >> 6), out[1] = (char)(0x80 | (c & 63)), 2;
    size_t n = c < 0x10000 ? 3 : 4;
    for (size_t k = n; k-- > 1; c >>= 6) out[k] = (char)(0x80 | (c & 63));
    return out[0] = (char)((n == 3 ? 0xE0 : 0xF0) | c), n;
}

size_t tdm_words_next(char *word, size_t cap, tdm_str *text)
{
    size_t n = 0;
    while (text->n) {
        uint32_t c;
        size_t bytes = tdm_utf8_next(*text, &c);
        uint32_t l = letter(c);
        bool joins = n && (c == '\'' || c == 0x2019);
        if (!l && !joins && n) break;
        text->p += bytes;
        text->n -= bytes;
        char utf8[4];
        size_t k = l ? encode(utf8, l) : 0;
        if (n + k > cap) continue; /* the rest of a word too long is skipped */
        memcpy(word + n, utf8, k);
        n += k;
    }
    return n;
}
