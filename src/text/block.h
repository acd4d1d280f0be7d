/* SPDX-License-Identifier: Apache-2.0 */
/* block.h - words and phrases that may not be written.
 *
 * A list is text with one word or phrase a line; empty lines and lines that begin with # are passed over. Texts are
 * compared as fold.h folds them, on the borders of words: "gun" is found in "A GUN!" and not in "guns" or "begun". A
 * phrase is found over any white space. */
#ifndef TDM_TEXT_BLOCK_H
#define TDM_TEXT_BLOCK_H

#include "text/fold.h"

typedef struct tdm_block tdm_block; /* const use is safe from many threads */

enum { TDM_BLOCK_BYTES = 400 }; /* of a line: more is no phrase, and longer than any sentence that is shown */

tdm_status tdm_block_open(tdm_block **out, tdm_err *err); /* empty */
void tdm_block_close(tdm_block *b);

/* Adds a list. `where` is what errors call it, with the line. After a failure the list is as it was. */
tdm_status tdm_block_read(tdm_block *b, const char *where, tdm_str list, tdm_err *err);

size_t tdm_block_size(const tdm_block *b); /* entries, each counted once */

/* Whether `text` holds an entry; its ends are ends of words. `b` may be NULL: never. `room` is scratch for many calls,
 * all zero at first, its `at` the caller's to tdm_free; or NULL. */
tdm_status tdm_block_find(const tdm_block *b, bool *found, tdm_str text, tdm_folded *room, tdm_err *err);

#endif
