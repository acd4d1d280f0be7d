/* SPDX-License-Identifier: Apache-2.0 */
/* neighbours.c - what the approximate search of user-knn saves, and what it misses, on a made log (log.h).
 *
 *     bench_neighbours [millions [questions [k]]]
 *
 * One thread looks for the k neighbours of people of the log, with ever more of their lists left unread. recall: which
 * part of the k most similar people is found. Seconds are of the processor, for the search alone, scores not counted.
 */
#include "base/mem.h"
#include "cf/neighbours.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void fail(const char *what) { bench_fail("bench_neighbours", what); }

static double thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    tdm_err err;
    bench_log log;
    tdm_rows rows;
    tdm_baseline baseline;
    tdm_people people;
    tdm_crowd crowd;
    tdm_neighbours near;
    const double unread[] = {0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5};
    size_t Q = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000, k = argc > 3 ? strtoul(argv[3], NULL, 10) : 500;
    bench_log_make(&log, argc > 1 ? strtod(argv[1], NULL) : 10);
    tdm_free(log.time); /* nobody asks for it, and a million people's are large */
    log.time = NULL;
    log.d.time = NULL;
    if (tdm_rows_make(&rows, &log.d, 1000, true, &err)) fail(err.msg);
    if (tdm_baseline_make(&baseline, &rows, &log.d, &err)) fail(err.msg);
    if (tdm_people_make(&people, &rows, &baseline, 1, &err)) fail(err.msg);
    if (tdm_crowd_make(&crowd, &people, &err)) fail(err.msg);
    if (tdm_neighbours_make(&near, &people, k, &err)) fail(err.msg);
    if (Q > log.d.U) Q = log.d.U;
    uint32_t *best = tdm_new(Q * k, sizeof *best);
    size_t *found = tdm_new(Q, sizeof *found);
    if (!best || !found) fail("not enough memory");
    printf("%zu people, %zu items, %zu interactions, %zu questions\n", log.d.U, log.d.I, log.d.N, Q);
    for (size_t t = 0; t < sizeof unread / sizeof *unread; t++) {
        double least = 1e9, hits[3] = {0}, of[3] = {0};
        for (int round = 0; round < 2; round++) {
            double sum = 0;
            for (size_t q = 0; q < Q; q++) {
                size_t u = q * log.d.U / Q, at = (size_t)log.d.offset[u];
                tdm_history h = {.items = log.d.item + at, .n = (size_t)log.d.offset[u + 1] - at, .self = (uint32_t)u};
                tdm_probe probe;
                if (tdm_probe_make(&probe, &people, &baseline, &h, TDM_COSINE, 0.7, &err)) fail(err.msg);
                double began = thread_seconds();
                if (tdm_neighbours_find(&near, &people, &crowd, &probe, 0.5, unread[t], &err)) fail(err.msg);
                sum += thread_seconds() - began;
                tdm_probe_clear(&probe);
                if (round) continue;
                if (!t) found[q] = near.n;
                for (size_t b = 0; !t && b < near.n; b++) best[q * k + b] = near.user[b];
                const size_t top[] = {10, 100, k};
                for (size_t c = 0; c < 3; c++) {
                    size_t n = found[q] < top[c] ? found[q] : top[c], m = near.n < n ? near.n : n;
                    of[c] += (double)n;
                    for (size_t a = 0; a < n; a++)
                        for (size_t b = 0; b < m; b++) hits[c] += best[q * k + a] == near.user[b];
                }
            }
            if (sum < least) least = sum;
        }
        printf("unread %.2f: %.3f s for 1,000 questions; recall@10 %.3f, @100 %.3f, @%zu %.3f\n", unread[t],
               least / (double)Q * 1000, hits[0] / of[0], hits[1] / of[1], k, hits[2] / of[2]);
        fflush(stdout);
    }
    return 0;
}
