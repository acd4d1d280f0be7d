/* SPDX-License-Identifier: Apache-2.0 */
/* clean_plain.h - plain versions of data/clean.h, for test_clean.c. */
#ifndef TDM_TESTS_DATA_CLEAN_PLAIN_H
#define TDM_TESTS_DATA_CLEAN_PLAIN_H

#include "base/bytes.h"

void plain_clean_text(tdm_buf *out, tdm_str s, size_t longest);
void plain_clean_id(tdm_buf *out, tdm_str s);
bool plain_clean_missing(tdm_str s);
bool plain_clean_number(double *out, tdm_str s);

#endif
