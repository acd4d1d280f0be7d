/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c - workers wait for a job with a higher number than the last, then take chunks from one atomic counter. The
 * caller works too and then waits until no worker is inside the job any more.
 *
 * Waiting is looking again and again for some microseconds and only then sleeping on a condition: jobs that follow one
 * another closely, as the products of a token do, are shorter than it takes to be woken. */
#include "base/pool.h"
#include "base/mem.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

struct tdm_pool {
    pthread_mutex_t lock;
    pthread_cond_t work, idle;
    size_t threads;       /* the caller counts */
    _Atomic uint64_t job; /* grows by one for each tdm_pool_for */
    atomic_size_t busy;   /* workers that have not yet finished this job */
    int stop;
    tdm_range_fn *fn;
    void *ctx;
    size_t n, grain;
    atomic_size_t next; /* next chunk to hand out */
    pthread_t tid[];
};

static void take_chunks(tdm_pool *p)
{
    size_t chunks = tdm_chunks(p->n, p->grain), c;
    while ((c = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed)) < chunks) {
        size_t begin = c * p->grain, end = begin + p->grain;
        p->fn(p->ctx, c, begin, end < p->n ? end : p->n);
    }
}

enum { LOOKS = 2000 }; /* some 20 to 60 microseconds */

static void pause_a_little(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void *worker(void *arg)
{
    tdm_pool *p = arg;
    uint64_t done = 0;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        if (!p->stop && p->job == done) {
            pthread_mutex_unlock(&p->lock);
            for (int i = 0; i < LOOKS && atomic_load_explicit(&p->job, memory_order_relaxed) == done; i++)
                pause_a_little();
            pthread_mutex_lock(&p->lock);
        }
        while (!p->stop && p->job == done) pthread_cond_wait(&p->work, &p->lock);
        if (p->stop) break;
        done = p->job;
        pthread_mutex_unlock(&p->lock);
        take_chunks(p);
        pthread_mutex_lock(&p->lock);
        if (--p->busy == 0) pthread_cond_signal(&p->idle);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

tdm_status tdm_pool_open(tdm_pool **out, size_t threads, tdm_err *err)
{
    *out = NULL;
    if (threads == 0) {
        long cpus = sysconf(_SC_NPROCESSORS_ONLN);
        threads = cpus > 0 ? (size_t)cpus : 1;
    }
    if (threads > 1024) return tdm_fail(err, TDM_E_ARG, "%zu threads asked for; at most 1024 are possible", threads);
    tdm_pool *p = tdm_new(1, sizeof *p + threads * sizeof p->tid[0]);
    if (!p) return tdm_nomem(err, "the thread pool");
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->idle, NULL);
    p->threads = 1;
    while (p->threads < threads) {
        if (pthread_create(&p->tid[p->threads - 1], NULL, worker, p)) {
            tdm_fail(err, TDM_E_NOMEM, "could start %zu of %zu threads; use fewer with -j", p->threads, threads);
            tdm_pool_close(p);
            return TDM_E_NOMEM;
        }
        p->threads++;
    }
    *out = p;
    return TDM_OK;
}

void tdm_pool_close(tdm_pool *p)
{
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    p->stop = 1;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i + 1 < p->threads; i++) pthread_join(p->tid[i], NULL);
    pthread_cond_destroy(&p->idle);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    tdm_free(p);
}

size_t tdm_pool_threads(const tdm_pool *p) { return p ? p->threads : 1; }

void tdm_pool_for(tdm_pool *p, size_t n, size_t grain, tdm_range_fn *fn, void *ctx)
{
    assert(grain > 0);
    if (!p || p->threads == 1 || n <= grain) {
        for (size_t c = 0, begin = 0; begin < n; c++, begin += grain)
            fn(ctx, c, begin, n - begin < grain ? n : begin + grain);
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->fn = fn;
    p->ctx = ctx;
    p->n = n;
    p->grain = grain;
    atomic_store_explicit(&p->next, 0, memory_order_relaxed);
    p->busy = p->threads - 1;
    p->job++;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    take_chunks(p);
    for (int i = 0; i < LOOKS && atomic_load_explicit(&p->busy, memory_order_relaxed); i++) pause_a_little();
    pthread_mutex_lock(&p->lock);
    while (p->busy) pthread_cond_wait(&p->idle, &p->lock);
    pthread_mutex_unlock(&p->lock);
}
