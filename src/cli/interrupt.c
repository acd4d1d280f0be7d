/* SPDX-License-Identifier: Apache-2.0 */
/* interrupt.c - Ctrl-C and TERM, waited for by a thread of their own.
 *
 * All other threads have the signals blocked, and not only for order's sake: a signal's frame is pushed onto the stack
 * of the thread it meets, and generated code inside oneDNN's sgemm does not always keep its stack pointer on the stack.
 * A handler that ran in the middle of it wrote over the heap, about once in five interruptions. */
#include "cli/cli.h"

#include <pthread.h>
#include <signal.h>

static struct {
    pthread_t thread;
    sigset_t set;
    bool on;
} I;

static void *wait_for(void *run)
{
    int sig;
    if (sigwait(&I.set, &sig)) return NULL;
    tdm_run_cancel(run);
    if (sigwait(&I.set, &sig)) return NULL;
    signal(sig, SIG_DFL); /* a second Ctrl-C ends the program at once */
    pthread_sigmask(SIG_UNBLOCK, &I.set, NULL);
    raise(sig);
    return NULL;
}

void cli_interrupt_block(void)
{
    sigemptyset(&I.set);
    sigaddset(&I.set, SIGINT);
    sigaddset(&I.set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &I.set, NULL);
}

void cli_interrupt_begin(tdm_run *run)
{
    I.on = !pthread_create(&I.thread, NULL, wait_for, run);
    if (!I.on) pthread_sigmask(SIG_UNBLOCK, &I.set, NULL);
}

void cli_interrupt_end(void)
{
    if (I.on) {
        pthread_cancel(I.thread);
        pthread_join(I.thread, NULL);
    }
    I.on = false;
    pthread_sigmask(SIG_UNBLOCK, &I.set, NULL);
}
