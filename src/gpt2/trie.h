/* SPDX-License-Identifier: Apache-2.0 */
/* trie.h - the titles of the catalogue as a tree of tokens, so that what is decoded along it is a title that exists.
 *
 * The tree is not stored: titles lie sorted, a node is a range of them that agree on the first `depth` tokens, and its
 * children are the parts of the range that agree on one more. A title ends with the token `end`, so a title that begins
 * another is told from it. Items with one title lie in one leaf. */
#ifndef TDM_GPT2_TRIE_H
#define TDM_GPT2_TRIE_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tdm_trie {
    const uint32_t *token; /* all titles' tokens, the caller's */
    const int64_t *offset; /* title of item i: token[offset[i] .. offset[i + 1]) */
    uint32_t *item;        /* n, in order of their titles, equal titles by index */
    size_t n;
    uint32_t end;
} tdm_trie;

typedef struct tdm_trie_node {
    uint32_t low, high; /* titles item[low .. high) */
    uint32_t depth;     /* tokens behind us */
    bool whole;         /* `end` has been said: these items are meant */
} tdm_trie_node;

/* `token` and `offset` (I + 1) outlive the trie. Items without tokens are not in it. `end` is in no title. */
tdm_status tdm_trie_make(tdm_trie *out, const uint32_t *token, const int64_t *offset, size_t I, uint32_t end,
                         tdm_err *err);
void tdm_trie_clear(tdm_trie *t);

tdm_trie_node tdm_trie_root(const tdm_trie *t);

/* The children of a node, `end` first, then by token: each one's token and node (`child` may be NULL). Returns how
 * many, at most `cap`; there are at most high - low. A whole title has none. */
size_t tdm_trie_children(const tdm_trie *t, tdm_trie_node at, uint32_t *token, tdm_trie_node *child, size_t cap);

/* The child of that token; false where there is none. */
bool tdm_trie_step(const tdm_trie *t, tdm_trie_node at, uint32_t token, tdm_trie_node *child);

#endif
