/* SPDX-License-Identifier: Apache-2.0 */
/* decode_parts.h - what the files of the decoder share. Inside this floor only. */
#ifndef TDM_GPT2_DECODE_PARTS_H
#define TDM_GPT2_DECODE_PARTS_H

#include "gpt2/decode.h"
#include "gpt2/decode_pages.h"
#include "gpt2/layer.h"

typedef struct tdm_packed_layer {
    tdm_packed qkv, att, fc, proj;
} tdm_packed_layer;

struct tdm_gpt2_packed {
    const tdm_gpt2 *g;
    tdm_weights kind;
    tdm_packed table; /* C x V: wte across */
    tdm_packed_layer *layer;
};

#endif
