/*
 * A vCPU's connection to a Southbridge server, for emulators and VMMs in C. C11 and POSIX, no library.
 *
 * A session belongs to one thread: open one for each vCPU. Every call blocks until the server has replied, and returns 0,
 * or -1 with the reason in sb_error(). All interrupts that an access caused are in the queue when its call returns: take
 * them with sb_next_event() before the guest continues. Protocol: docs/protocol.md.
 */
#ifndef SOUTHBRIDGE_H
#define SOUTHBRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sb_vcpu;

/* What went wrong: a code of docs/errors.md, or one of those below, and a sentence. */
struct sb_error {
    /*
     * Codes of this client: connection-refused (no server answers), connection-lost (the request may or may not have been
     * applied; sb_reconnect() comes back), timeout (the same, and the session goes on), bad-frame, bad-url, bad-argument,
     * out-of-memory.
     */
    char code[48];
    char message[256];
};

/* A connection that the caller made, for instance one with TLS. */
struct sb_stream {
    void *context;
    /*
     * Reads at most `size` bytes, and waits for the first of them for at most `timeout_ms` (-1: without limit). Returns how
     * many, 0 at the end, SB_STREAM_TIMEOUT, or SB_STREAM_FAILED.
     */
    ssize_t (*read)(void *context, void *buffer, size_t size, int timeout_ms);
    /* Writes all bytes. Returns 0 or SB_STREAM_FAILED. */
    int (*write)(void *context, const void *buffer, size_t size);
};

#define SB_STREAM_FAILED (-1)
#define SB_STREAM_TIMEOUT (-2)

struct sb_options {
    /* Bearer token, or NULL. */
    const char *token;
    /* Token of the connection that holds the vCPU now, to take it over; or NULL. */
    const char *resume_token;
    /* Milliseconds for a call; 0 stands for 30,000. */
    int timeout_ms;
    /*
     * Milliseconds within which the server's first message has to come after a try to connect begins; 0 stands for 10,000, and
     * `timeout_ms` is the most.
     */
    int connect_ms;
    /* Milliseconds before the second try to come back, then twice the wait before, up to 5 s; 0 stands for 50, -1 never tries. */
    int retry_ms;
    /* In place of a connection that the client makes; or NULL. It must outlive the session. */
    const struct sb_stream *stream;
    /* In a cluster, nodes forward the frames; the client does not connect to the node that has the machine. */
    bool no_follow;
};

enum sb_event_kind {
    SB_INTERRUPT, /* a message for the local APIC of this vCPU */
    SB_INTR,      /* to vCPU 0: the output of the 8259 pair changed, or its level after sb_reconnect() */
    SB_GAP,       /* events were lost: the vCPU was away or did not take them, and more came than are kept */
    SB_RESTORED   /* the state was replaced, by a snapshot or by that of a checkpoint after a crash */
};

struct sb_event {
    enum sb_event_kind kind;
    /*
     * Number of the event in the machine's IRQ stream; of a gap the last that it covers, of which `from` is the first. Of
     * SB_RESTORED, events from `from` on are not part of the state, if they came before this one.
     */
    uint64_t sequence, from;
    /* Of SB_INTERRUPT; delivery modes as in a redirection entry. */
    uint8_t vector, delivery_mode, destination;
    bool level_triggered, logical;
    /* Of SB_INTR; of SB_GAP and SB_RESTORED the level of INTR, to vCPU 0. */
    bool has_level, level;
    /* Of SB_RESTORED: how old the state was. */
    uint64_t age_ms;
    /* Of SB_RESTORED and SB_GAP, if the server reports it: bit n is the level at which the HPET, or clients, drive line n after `sequence`. */
    bool has_lines;
    uint32_t hpet_lines, external_lines;
};

struct sb_access {
    uint64_t address;
    /* Of a write what is written; of a read the result. */
    uint64_t value;
    /* 1, 2, 4 or 8 bytes. */
    uint8_t size;
    bool write;
};

/*
 * Connects to vCPU `vcpu` of a machine. `url` is ws://HOST:PORT or http://HOST:PORT, or unix:PATH; with `options->stream`
 * also wss:// or https://. `options` may be NULL. Returns NULL with the reason in `error`, which may be NULL.
 */
struct sb_vcpu *sb_connect(const char *url, const char *machine, unsigned vcpu, const struct sb_options *options,
                           struct sb_error *error);

/*
 * Connects again now. A client with a session (protocol 1.1) does so by itself in the next call that waits, and loses nothing: it
 * sends again what the server has not accepted. This is for a client that has ended (connection-lost), for a server of version
 * 1, and for a stream of the caller, who connects the stream again first. With version 1, what was sent into the connection
 * before may be lost; interrupts that came meanwhile follow.
 */
int sb_reconnect(struct sb_vcpu *vcpu);

/* Acknowledges what was taken, closes the connection and frees the session. Interrupts for the vCPU wait at the server. */
void sb_close(struct sb_vcpu *vcpu);

/* Why the last call failed. */
const struct sb_error *sb_error(const struct sb_vcpu *vcpu);
/* Takes over from this connection; valid until the next call. */
const char *sb_resume_token(const struct sb_vcpu *vcpu);
/* To poll for input; -1 for a stream of the caller. When it is readable, call sb_wait(vcpu, 0). */
int sb_fd(const struct sb_vcpu *vcpu);

/* Guest accesses; sizes are 1, 2, 4 or 8 bytes. */
int sb_read(struct sb_vcpu *vcpu, uint64_t address, unsigned size, uint64_t *value);
int sb_write(struct sb_vcpu *vcpu, uint64_t address, unsigned size, uint64_t value);
/* Writes without waiting. If the server refuses it, a later call returns -1 with the reason, without effect of its own. */
int sb_post(struct sb_vcpu *vcpu, uint64_t address, unsigned size, uint64_t value);
/* Applies all accesses in order, or none of them. At most 4096. */
int sb_batch(struct sb_vcpu *vcpu, struct sb_access *accesses, size_t count);
/* The 8259 pair. */
int sb_port_in(struct sb_vcpu *vcpu, uint16_t port, uint8_t *value);
int sb_port_out(struct sb_vcpu *vcpu, uint16_t port, uint8_t value);
/* Acknowledge cycle, after SB_INTR with level 1. */
int sb_inta(struct sb_vcpu *vcpu, uint8_t *vector);
/* Drives a line as the machine's external source. */
int sb_line(struct sb_vcpu *vcpu, unsigned gsi, bool level);
/* The local APIC ended a level-triggered interrupt. */
int sb_eoi(struct sb_vcpu *vcpu, uint8_t vector);
/* Logical id and destination format (cluster or flat) of the local APIC. */
int sb_apic(struct sb_vcpu *vcpu, uint8_t logical_id, bool cluster);
/* Moves a manual clock. */
int sb_step(struct sb_vcpu *vcpu, uint64_t ns);

struct sb_step {
    /* Nanoseconds; with `to_deadline` the clock goes no further than the next deadline. */
    uint64_t ns;
    bool to_deadline;
    /* A register that is read behind the step; size 0 reads none. */
    unsigned read_size;
    uint64_t read_address;
    /* Results: the virtual time that the step reached, the next deadline if a timer is armed, and what was read. */
    uint64_t time, deadline;
    bool has_deadline;
    uint64_t value;
};

/* Moves a manual clock, and tells where it stands. A server of version 1 refuses `to_deadline` and `read_size`. */
int sb_step_clock(struct sb_vcpu *vcpu, struct sb_step *step);

enum sb_input { SB_PIT = 1, SB_RTC, SB_XEN };

/* Drives an input: output of the PIT or the RTC, or the callback of Xen's event channel. Not for a server of version 1. */
int sb_input(struct sb_vcpu *vcpu, enum sb_input input, bool level);
/* Fence: every posted write before it is applied. */
int sb_sync(struct sb_vcpu *vcpu);

/*
 * Waits until an event is in the queue, as HLT does, for at most `timeout_ms` (-1: without limit). Returns 1 if there is
 * one, 0 after the time, -1 on error. Events are never lost to a timeout, nor with a connection: with a session, a lost
 * connection is no error, and the call makes another.
 */
int sb_wait(struct sb_vcpu *vcpu, int timeout_ms);
/*
 * Takes the next event of the queue, and acknowledges it to the server in this or a later call: 64 events or 50 ms later at most, if
 * the application calls. In the order of the machine's IRQ stream; false if there is none.
 */
bool sb_next_event(struct sb_vcpu *vcpu, struct sb_event *event);

#endif
