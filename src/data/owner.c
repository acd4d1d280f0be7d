/* SPDX-License-Identifier: Apache-2.0 */
#include "data/owner.h"

#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <xxhash.h>

tdm_dataset *tdm_owner_dataset(void)
{
    tdm_dataset *d = tdm_new(1, sizeof *d);
    if (d && !(d->owner = tdm_new(1, sizeof(tdm_owner)))) {
        tdm_free(d);
        d = NULL;
    }
    return d;
}

void *tdm_owner_take(tdm_owner *o, void *block)
{
    assert(o->n < TDM_OWNER_BLOCKS);
    if (block) o->block[o->n++] = block;
    return block;
}

void *tdm_owner_new(tdm_owner *o, size_t n, size_t size) { return tdm_owner_take(o, tdm_new(n, size)); }

void tdm_dataset_close(tdm_dataset *d)
{
    if (!d) return;
    tdm_owner *o = d->owner;
    if (o) {
        for (size_t i = 0; i < o->n; i++) tdm_free(o->block[i]);
        tdm_safetensors_close(o->file[0]);
        tdm_safetensors_close(o->file[1]);
        tdm_free(o);
    }
    tdm_free(d);
}

static void hash_strings(XXH3_state_t *x, const tdm_strings *s)
{
    if (!s->n) return;
    XXH3_64bits_update(x, s->offset, (s->n + 1) * sizeof *s->offset);
    XXH3_64bits_update(x, s->bytes, (size_t)s->offset[s->n]);
}

void tdm_dataset_derive(tdm_dataset *d)
{
    bool scale = d->rating_low < d->rating_high;
    d->has_ratings = d->has_times = false;
    for (size_t j = 0; j < d->N; j++) {
        float r = d->rating[j];
        d->has_times |= d->time[j] != TDM_NO_TIME;
        if (isnan(r)) continue;
        if (!scale) {
            d->rating_low = d->has_ratings && d->rating_low < r ? d->rating_low : r;
            d->rating_high = d->has_ratings && d->rating_high > r ? d->rating_high : r;
        }
        d->has_ratings = true;
    }
    XXH3_state_t *x = XXH3_createState();
    if (!x) return;
    uint64_t shape[3] = {d->U, d->I, d->N};
    XXH3_64bits_reset(x);
    XXH3_64bits_update(x, shape, sizeof shape);
    XXH3_64bits_update(x, d->offset, (d->U + 1) * sizeof *d->offset);
    XXH3_64bits_update(x, d->item, d->N * sizeof *d->item);
    XXH3_64bits_update(x, d->rating, d->N * sizeof *d->rating);
    XXH3_64bits_update(x, d->time, d->N * sizeof *d->time);
    XXH3_64bits_update(x, d->row, d->N * sizeof *d->row);
    if (d->part) XXH3_64bits_update(x, d->part, d->N);
    const tdm_strings *all[] = {&d->user_id,     &d->item_id,  &d->title,   &d->brand, &d->category,
                                &d->description, &d->keywords, &d->summary, &d->review};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) hash_strings(x, all[k]);
    d->fingerprint = XXH3_64bits_digest(x);
    XXH3_freeState(x);
}
