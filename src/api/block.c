/* SPDX-License-Identifier: Apache-2.0 */
/* block.c - a file of words and phrases that no sentence may hold. */
#include "api/ask.h"
#include "base/file.h"

tdm_status tdm_recommender_block(tdm_recommender *r, const char *path, tdm_err *err)
{
    tdm_map map = {0};
    tdm_status st = tdm_map_open(&map, path, err);
    if (!st && !r->block) st = tdm_block_open(&r->block, err);
    if (!st) st = tdm_block_read(r->block, path, (tdm_str){(const char *)map.p, map.n}, err);
    tdm_map_close(&map);
    if (!st) tdm_explained_forget(r->explained, tdm_explained_most(r->explained)); /* sentences that were fine */
    return st;
}
