/* SPDX-License-Identifier: Apache-2.0 */
/* marks.h - where the tokens of a JSON text begin, found by simdjson. Inside this floor only, and for object.c.
 *
 * simdjson reads JSON in two stages: the first finds with wide registers where every token begins, the second walks
 * along them. Its own second stages lose what we need (a number's digits, a text with a bad escape) or look only at
 * what is asked for, so we take the first stage and walk on our own. marks.cpp is all the C++ there is. */
#ifndef TDM_DATA_MARKS_H
#define TDM_DATA_MARKS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tdm_marks tdm_marks;

typedef enum tdm_json_marks_found {
    TDM_MARKS_OK,
    TDM_MARKS_NOT_UTF8, /* some bytes are no UTF-8 */
    TDM_MARKS_CONTROL,  /* a string holds a control character (U+0000 to U+001F) as it is */
    TDM_MARKS_BROKEN,   /* a string that never ends, nothing at all, or 4 GB and more */
    TDM_MARKS_NOMEM
} tdm_json_marks_found;

/* NULL: out of memory. The room is simdjson's own and not counted by tdm_new: 4 bytes for each byte of the longest text
 * so far, of which only as many are touched as there are tokens. */
tdm_marks *tdm_json_marks_open(void);
void tdm_json_marks_close(tdm_marks *m); /* NULL is fine */

/* The tokens of p[0..n): each of { } [ ] : , and the first byte of each string, number and word, in order. What follows
 * a token up to the next one is white space, but for words and numbers, which hold whatever stands there. Good until
 * the next call. No byte behind p[n - 1] is read. */
tdm_json_marks_found tdm_json_marks_find(tdm_marks *m, const uint32_t **at, size_t *count, const char *p, size_t n);

#ifdef __cplusplus
}
#endif

#endif
