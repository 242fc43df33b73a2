/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What it costs to say no. Two figures: the time inside the gate of requests that end there (one in 64 is timed), and the
 * whole time of the thread for a message of a call that is refused, reading and parsing included. PJSIP reads and parses
 * before anybody is asked, so the second is measured from the end of one such message to the end of the next, where
 * nothing else came between: in one look at the sockets, as happens all the time under the load that this figure is for. */
#include "internal.h"
#include "tandem.h"

#define FEW 16 /* messages that are no measurement */
#define LONGEST 2000000 /* nanoseconds: longer, and somebody else had the processor */

static unsigned long long timed, spent;     /* in the gate */
static unsigned long long refused, refusing; /* in the thread: messages, nanoseconds */
static pj_timestamp before; /* when the last message of a refused call was done with */
static pj_bool_t in_a_row;

void cost_of_gate(const pj_timestamp *begin)
{
    pj_timestamp now;

    pj_get_timestamp(&now);
    timed++;
    spent += pj_elapsed_nanosec(begin, &now);
}

void cost_of_refusal(void)
{
    pj_timestamp now;

    pj_get_timestamp(&now);
    if (in_a_row) {
        unsigned long long took = pj_elapsed_nanosec(&before, &now);

        if (took < LONGEST) {
            refused++;
            refusing += took;
        }
    }
    before = now;
    in_a_row = PJ_TRUE;
}

void cost_of_something_else(void)
{
    in_a_row = PJ_FALSE;
}

double tandem_gate_cost(void)
{
    double mean = timed ? (double)spent / (double)timed : 0;

    timed = 0, spent = 0;
    return mean;
}

double tandem_refusal_cost(void)
{
    double mean = refused >= FEW ? (double)refusing / (double)refused : 0;

    refused = 0, refusing = 0;
    return mean;
}
