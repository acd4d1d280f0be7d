/* SPDX-License-Identifier: Apache-2.0 */
/* gguf.h - a GPT-2 and its vocabulary in one file, for llama.cpp and what is built on it. */
#ifndef TDM_GPT2_GGUF_H
#define TDM_GPT2_GGUF_H

#include "gpt2/gpt2.h"
#include "text/bpe.h"

/* Writes GGUF version 3, architecture "gpt2": matrices as F16, all else as F32. `name` is what readers show. The
 * vocabulary has at most as many tokens as the table has rows; rows behind it become unused tokens. The file is whole
 * there, or not there. */
tdm_status tdm_gguf_write(const char *path, const tdm_gpt2 *g, const tdm_bpe *b, const char *name, tdm_err *err);

#endif
