/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Memory that PJSIP asks for and does not use (spare.c). */
#ifndef TANDEM_SPARE_H
#define TANDEM_SPARE_H

#ifndef SWIG
#ifdef __cplusplus
extern "C" {
#endif

/* All of them on the thread of SIP. The tables of the port of the conference that is made next are a leg's. */
void spare_tables(void);
/* Nobody but that thread touches any of the block that begins with this object of a pool. */
void spare_buffers(void *object);
/* After pjsua's own start, and then ten times a second; now: gate_now(). */
void spare_start(void);
void spare_tick(long long now);
#endif

/* Octets that were given back to the kernel since the start: those of legs that live longer than so many milliseconds,
 * 5,000 unless told; negative: only asks. */
unsigned long long tandem_spare(int milliseconds);

#ifndef SWIG
#ifdef __cplusplus
}
#endif
#endif

#endif
