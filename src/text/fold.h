/* SPDX-License-Identifier: Apache-2.0 */
/* fold.h - text as it is compared where letter case and ways of writing make no difference.
 *
 * Code points after Unicode's NFKC_Casefold (utf8proc): case folded ("Straße" is "strasse"), composed, forms of one
 * letter made one ("ﬁ" is "fi", full-width is plain), and without what shows nothing (zero-width characters, soft
 * hyphens). On top of that white space of any kind and length is one blank, none at the ends, and typographic
 * apostrophes and hyphens are ASCII's. A byte that is not UTF-8 is U+FFFD. */
#ifndef TDM_TEXT_FOLD_H
#define TDM_TEXT_FOLD_H

#include "base/bytes.h"
#include "base/status.h"

typedef struct tdm_folded {
    int32_t *at;
    size_t n, cap;
} tdm_folded; /* all zero is empty; tdm_free(at) */

/* Folds `text` into *out, in the place of what was there. */
tdm_status tdm_fold(tdm_folded *out, tdm_str text, tdm_err *err);

/* Whether a word can end between two folded characters that stand side by side: where one is no letter, mark or digit;
 * and beside those of scripts that are written without blanks (Han, Hiragana, Thai, Lao, Khmer, Burmese). */
bool tdm_fold_parts(int32_t before, int32_t behind);

#endif
