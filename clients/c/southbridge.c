#define _GNU_SOURCE /* getrandom */
#include "southbridge.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    DEFAULT_TIMEOUT_MS = 30000,
    MOST_EVENTS = 65536,      /* kept for a caller that does not take them */
    MOST_ACCESSES = 4096,     /* of a batch: the server's default limit */
    MOST_HEAD = 16384,        /* of the answer to an upgrade */
    LARGEST_MESSAGE = 1 << 26,
    FRAME_HEAD = 14,          /* longest head of a frame, with its mask */
    TEXT_LENGTH = 512,
    PLACE_LENGTH = 256,
    MOST_NODES = 4, /* in a hello */
    MOST_PLACES = 8,
    MOST_HOPS = 4, /* nodes in a row that may send the client on */
    CONNECT_MS = 10000,
    RETRY_MS = 50, LONGEST_RETRY_MS = 5000,
    POSTED_AT_ONCE = 256,     /* posted writes without a reply behind them, after which one waits */
    ACK_EVENTS = 64, ACK_MS = 50 /* docs/protocol.md, sessions */
};

/* Fields of ClientMessage and of ServerMessage: proto/southbridge/v1. */
enum {
    READ = 2, WRITE = 3, BATCH = 4, PORT_IN = 5, PORT_OUT = 6, INTA = 7, SET_LINE = 8, EOI = 9, SET_APIC = 10, STEP = 11,
    SYNC = 12, RESUME = 14, ACKNOWLEDGE = 15, SET_INPUT = 16,
    ACK = 17 /* beside a request */
};
enum { S_HELLO = 1, S_REPLY = 2, S_ERROR = 3, S_INTERRUPT = 4, S_INTR = 5, S_GAP = 7, S_RESTORED = 9 };
/* Opcodes of RFC 6455. */
enum { CONTINUATION = 0, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

struct buffer {
    uint8_t *bytes;
    size_t start, length, capacity; /* the bytes from `start` to `length` are in use */
    bool is_incomplete;             /* there was no memory for what should be in it */
};

/* A request that has no reply yet. */
struct request {
    uint64_t number; /* in the session; 0 until it is sent */
    uint32_t id;
    bool is_posted;
    struct buffer frame;
};

/* Of the server's last hello. */
struct hello {
    uint64_t fence;
    char owner[PLACE_LENGTH], nodes[MOST_NODES][PLACE_LENGTH];
    size_t node_count;
    char epoch[TEXT_LENGTH], session[TEXT_LENGTH];
    uint64_t request;
    bool has_request;
};

struct sb_vcpu {
    int fd;
    const struct sb_stream *stream;
    char *server, *machine, *token;
    /* Where the machine may be, the next first: the server, and in a cluster its owner and other nodes. */
    char *places[MOST_PLACES];
    size_t place_count;
    const char *url; /* the first of them */
    bool follows;
    uint64_t fence;                 /* the greatest that was taken */
    enum { TAKEN, ELSEWHERE, STALE } verdict; /* on the last hello */
    unsigned number;
    int timeout_ms, connect_ms, retry_ms;
    char resume_token[TEXT_LENGTH];
    struct sb_error error, posted_error;
    uint32_t id;
    uint64_t sequence;
    bool is_open, was_open, greeted;
    bool is_ended; /* it does not connect again by itself */
    unsigned tries;
    int64_t next_try; /* ms */
    struct hello hello;
    /* The session, if there is one: protocol 1.1. */
    bool has_session;
    char session[33], epoch[TEXT_LENGTH];
    struct request *requests; /* in order */
    size_t request_count, request_capacity;
    uint64_t last_request;
    int64_t received; /* where the last event stands: position_of */
    uint64_t taken_event, taken_reply;
    unsigned taken; /* events since the last acknowledgement */
    int64_t ack_due; /* ms; -1: nothing is to be acknowledged */
    struct buffer in, message, out;
    uint8_t masks[256];
    size_t mask;
    struct sb_event *events; /* a ring */
    size_t first_event, event_count, event_capacity;
    size_t foreign_count; /* the first of them are of an earlier epoch or session, and not to be acknowledged */
    /* The request in flight. */
    uint32_t wanted;
    bool has_reply, has_failed;
    uint64_t reply_value;
    uint8_t reply_vector;
    uint64_t reply_time, reply_deadline;
    bool has_deadline;
    uint8_t *results; /* of a batch, 8 bytes each */
    size_t result_count;
};

/* Errors */

static int fail(struct sb_vcpu *v, const char *code, const char *format, ...) {
    va_list arguments;
    snprintf(v->error.code, sizeof v->error.code, "%s", code);
    va_start(arguments, format);
    vsnprintf(v->error.message, sizeof v->error.message, format, arguments);
    va_end(arguments);
    return -1;
}

static int out_of_memory(struct sb_vcpu *v) { return fail(v, "out-of-memory", "There is no memory for the message."); }

static void disconnect(struct sb_vcpu *v) {
    if (v->fd >= 0) close(v->fd);
    v->fd = -1;
    v->is_open = false;
    /* The next resume says the same. */
    v->ack_due = -1;
    v->taken = 0;
}

static int lost(struct sb_vcpu *v, const char *reason) {
    disconnect(v);
    return fail(v, "connection-lost", "The connection to %.120s ended (%.60s).", v->url, reason);
}

/* Whether a later try to connect may succeed after this error. */
static bool is_passing(const char *code) {
    static const char *const codes[] = {
        "connection-refused", "connection-lost", "shutting-down", "server-failed", "not-ready", "internal", "machine-hung",
        "machine-suspect", "too-many-connections", "too-many-from-address", "too-slow", "bad-answer", "machine-moved",
        "machine-elsewhere", "stale-owner", "owner-unknown", "node-unreachable", "forwarding-stale", "lease-lost"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(code, codes[i]) == 0) return true;
    return false;
}

/* Time */

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Milliseconds until `end`; -1 for an end of -1, which never comes. */
static int left_of(int64_t end) {
    if (end < 0) return -1;
    int64_t left = end - now_ms();
    return left > 0 ? (int)left : 0;
}

/* Bytes */

static bool reserve(struct buffer *b, size_t more) {
    if (b->start > 0 && b->start == b->length) b->start = b->length = 0;
    if (b->capacity - b->length >= more) return true;
    size_t used = b->length - b->start;
    if (b->start > 0) {
        memmove(b->bytes, b->bytes + b->start, used);
        b->start = 0;
        b->length = used;
    }
    size_t capacity = b->capacity ? b->capacity : 1024;
    while (capacity - used < more) capacity *= 2;
    if (capacity == b->capacity) return true;
    uint8_t *bytes = realloc(b->bytes, capacity);
    if (!bytes) return false;
    b->bytes = bytes;
    b->capacity = capacity;
    return true;
}

static bool append(struct buffer *b, const void *bytes, size_t count) {
    if (!reserve(b, count)) b->is_incomplete = true;
    if (b->is_incomplete) return false;
    if (count > 0) memcpy(b->bytes + b->length, bytes, count);
    b->length += count;
    return true;
}

/* Leaves room for a zero behind what arrived. Returns 1 if bytes arrived, 0 after the time, -1 on error. */
static int receive_some(struct sb_vcpu *v, int64_t end) {
    enum { CHUNK = 4096 };
    if (!reserve(&v->in, CHUNK + 1)) return out_of_memory(v);
    uint8_t *to = v->in.bytes + v->in.length;
    ssize_t count;
    if (v->stream) {
        count = v->stream->read(v->stream->context, to, CHUNK, left_of(end));
        if (count == SB_STREAM_TIMEOUT) return 0;
    } else {
        struct pollfd wanted = {.fd = v->fd, .events = POLLIN};
        int ready;
        do ready = poll(&wanted, 1, left_of(end));
        while (ready < 0 && errno == EINTR);
        if (ready == 0) return 0;
        do count = recv(v->fd, to, CHUNK, 0);
        while (count < 0 && errno == EINTR);
    }
    if (count <= 0) return lost(v, count == 0 ? "closed" : "read failed");
    v->in.length += (size_t)count;
    return 1;
}

static int send_all(struct sb_vcpu *v, const uint8_t *bytes, size_t count) {
    if (v->stream) return v->stream->write(v->stream->context, bytes, count) ? lost(v, "write failed") : 0;
    while (count > 0) {
        ssize_t sent = send(v->fd, bytes, count, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return lost(v, strerror(errno));
        bytes += sent;
        count -= (size_t)sent;
    }
    return 0;
}

static int random_bytes(struct sb_vcpu *v, uint8_t *to, size_t count) {
    /* Up to 256 bytes come as a whole. */
    return getrandom(to, count, 0) == (ssize_t)count ? 0 : fail(v, "connection-lost", "There are no random numbers.");
}

/* WebSocket frames: RFC 6455, 5.2. `out` holds the body behind room for the head. */

static void begin_frame(struct sb_vcpu *v) {
    v->out.start = 0;
    v->out.is_incomplete = false;
    v->out.length = reserve(&v->out, FRAME_HEAD) ? FRAME_HEAD : 0;
}

static int send_frame(struct sb_vcpu *v, uint8_t opcode) {
    if (v->out.length < FRAME_HEAD) return out_of_memory(v);
    uint8_t *body = v->out.bytes + FRAME_HEAD;
    size_t length = v->out.length - FRAME_HEAD;
    size_t extra = length < 126 ? 0 : length < 65536 ? 2 : 8;
    if (v->mask == sizeof v->masks) v->mask = 0;
    if (v->mask == 0 && random_bytes(v, v->masks, sizeof v->masks)) return -1;
    const uint8_t *mask = v->masks + v->mask;
    v->mask += 4;
    uint8_t *head = body - 6 - extra;
    head[0] = 0x80 | opcode;
    head[1] = 0x80 | (uint8_t)(extra == 0 ? length : extra == 2 ? 126 : 127);
    for (size_t i = 0; i < extra; i++) head[2 + i] = (uint8_t)((uint64_t)length >> 8 * (extra - 1 - i));
    memcpy(body - 4, mask, 4);
    for (size_t i = 0; i < length; i++) body[i] ^= mask[i & 3];
    return send_all(v, head, (size_t)(body - head) + length);
}

static int send_message(struct sb_vcpu *v, const struct buffer *message) {
    begin_frame(v);
    if (message->is_incomplete || !append(&v->out, message->bytes, message->length)) return out_of_memory(v);
    return send_frame(v, BINARY);
}

static int pong(struct sb_vcpu *v, const uint8_t *body, size_t length) {
    begin_frame(v);
    if (!append(&v->out, body, length)) return out_of_memory(v);
    return send_frame(v, PONG);
}

/* The server's reasons are codes of errors, for a proxy's there is none. */
static int closed(struct sb_vcpu *v, const uint8_t *body, size_t length) {
    char reason[sizeof v->error.code];
    unsigned code = length < 2 ? 1005 : (unsigned)body[0] << 8 | body[1];
    snprintf(reason, sizeof reason, "%.*s", length < 2 ? 0 : (int)(length - 2), (const char *)body + 2);
    if (reason[0] == 0 || strchr(reason, ' ') || code == 1001) return lost(v, reason[0] ? reason : "closed");
    disconnect(v);
    v->is_ended = !is_passing(reason);
    return fail(v, reason, "The server closed the connection to %.120s: %s (close code %u).", v->url, reason, code);
}

static int heard(struct sb_vcpu *v, const uint8_t *bytes, size_t length);

/* Takes one frame from `in`. Returns 1 if there was one, 0 if it is not there as a whole, -1 on error. */
static int take_frame(struct sb_vcpu *v) {
    const uint8_t *bytes = v->in.bytes + v->in.start;
    size_t have = v->in.length - v->in.start;
    if (have < 2) return 0;
    size_t head = (bytes[1] & 0x7f) < 126 ? 2 : (bytes[1] & 0x7f) == 126 ? 4 : 10;
    if (have < head) return 0;
    uint64_t length = head == 2 ? bytes[1] : 0;
    for (size_t i = 2; i < head; i++) length = length << 8 | bytes[i];
    if (bytes[0] & 0x70 || bytes[1] & 0x80 || length > LARGEST_MESSAGE) return lost(v, "not a frame of a server");
    if (have < head + length) return 0;
    const uint8_t *body = bytes + head;
    bool is_last = bytes[0] & 0x80;
    uint8_t opcode = bytes[0] & 0x0f;
    v->in.start += head + (size_t)length;
    if (opcode == PING) return pong(v, body, (size_t)length) ? -1 : 1;
    if (opcode == CLOSE) return closed(v, body, (size_t)length);
    if (opcode > BINARY) return 1;
    if (is_last && opcode != CONTINUATION) return heard(v, body, (size_t)length) ? -1 : 1;
    if (v->message.length - v->message.start + length > LARGEST_MESSAGE) return lost(v, "message too long");
    if (!append(&v->message, body, (size_t)length)) return out_of_memory(v);
    if (!is_last) return 1;
    int result = heard(v, v->message.bytes, v->message.length);
    v->message.length = 0;
    return result ? -1 : 1;
}

/* Protobuf: what this protocol has of it. */

static bool put_varint(struct buffer *b, uint64_t value) {
    uint8_t bytes[10];
    size_t count = 0;
    do bytes[count++] = (uint8_t)(value & 0x7f) | (value > 0x7f ? 0x80 : 0);
    while (value >>= 7);
    return append(b, bytes, count);
}

/* 0 is left out, as always in proto3. */
static bool put_field(struct buffer *b, unsigned field, uint64_t value) {
    return value == 0 || (put_varint(b, field << 3) && put_varint(b, value));
}

static bool put_fixed32(struct buffer *b, unsigned field, uint32_t value) {
    uint8_t bytes[] = {(uint8_t)(field << 3 | 5), (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                       (uint8_t)(value >> 24)};
    return value == 0 || append(b, bytes, sizeof bytes);
}

static bool put_bytes(struct buffer *b, unsigned field, const void *bytes, size_t count) {
    return put_varint(b, field << 3 | 2) && put_varint(b, count) && append(b, bytes, count);
}

/* Makes a message of its one field, and frees the body. */
static struct buffer enveloped(unsigned field, struct buffer *body) {
    struct buffer message = {0};
    message.is_incomplete = body->is_incomplete || !put_bytes(&message, field, body->bytes, body->length);
    free(body->bytes);
    return message;
}

struct field {
    unsigned number;
    uint64_t value;       /* of a varint or a fixed number */
    const uint8_t *bytes; /* of a delimited field; else NULL */
    size_t length;
};

struct reader {
    const uint8_t *at, *end;
    bool is_bad;
};

static uint64_t get_number(struct reader *r, size_t count, bool is_varint) {
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        if (r->at == r->end) break;
        uint8_t byte = *r->at++;
        value |= is_varint ? (uint64_t)(byte & 0x7f) << 7 * i : (uint64_t)byte << 8 * i;
        if (is_varint ? byte < 0x80 : i + 1 == count) return value;
    }
    r->is_bad = true;
    return 0;
}

static bool next_field(struct reader *r, struct field *f) {
    if (r->is_bad || r->at == r->end) return false;
    uint64_t tag = get_number(r, 10, true);
    *f = (struct field){.number = (unsigned)(tag >> 3)};
    switch (tag & 7) {
    case 0: f->value = get_number(r, 10, true); break;
    case 1: f->value = get_number(r, 8, false); break;
    case 5: f->value = get_number(r, 4, false); break;
    case 2:
        f->length = (size_t)get_number(r, 10, true);
        if (f->length > (size_t)(r->end - r->at)) r->is_bad = true;
        f->bytes = r->at;
        if (!r->is_bad) r->at += f->length;
        break;
    default: r->is_bad = true;
    }
    return !r->is_bad;
}

static struct reader reader_of(const struct field *f) {
    return (struct reader){.at = f->bytes, .end = f->bytes ? f->bytes + f->length : NULL};
}

static void copy_text(char *to, size_t size, const struct field *f) {
    snprintf(to, size, "%.*s", f->bytes ? (int)f->length : 0, f->bytes ? (const char *)f->bytes : "");
}

/* The session: requests without a reply, and what the application has taken */

static int send_ack(struct sb_vcpu *v) {
    struct buffer body = {0};
    v->ack_due = -1;
    v->taken = 0;
    put_field(&body, 1, v->taken_event);
    put_field(&body, 2, v->taken_reply);
    struct buffer message = enveloped(ACKNOWLEDGE, &body);
    int result = send_message(v, &message);
    free(message.bytes);
    return result;
}

/* The server need not keep something any longer, which it learns within ACK_MS. */
static void ack_soon(struct sb_vcpu *v) {
    if (v->has_session && v->is_open && v->ack_due < 0) v->ack_due = now_ms() + ACK_MS;
}

static int receive(struct sb_vcpu *v, int64_t end) {
    for (;;) {
        if (v->ack_due >= 0 && now_ms() >= v->ack_due && send_ack(v)) return -1;
        bool wakes = v->ack_due >= 0 && (end < 0 || v->ack_due < end);
        int received = receive_some(v, wakes ? v->ack_due : end);
        if (received != 0 || !wakes) return received;
    }
}

/* Takes ownership of the frame. */
static struct request *add_request(struct sb_vcpu *v, uint32_t id, struct buffer *frame, bool is_posted) {
    if (!frame->is_incomplete && v->request_count == v->request_capacity) {
        size_t capacity = v->request_capacity ? 2 * v->request_capacity : 16;
        struct request *requests = realloc(v->requests, capacity * sizeof *requests);
        if (requests) v->requests = requests, v->request_capacity = capacity;
    }
    if (frame->is_incomplete || v->request_count == v->request_capacity) {
        free(frame->bytes);
        out_of_memory(v);
        return NULL;
    }
    struct request *request = &v->requests[v->request_count++];
    *request = (struct request){.id = id, .frame = *frame, .is_posted = is_posted};
    return request;
}

/* With the acknowledgement that is due, once: when a request is sent again, the epoch may be another one. */
static int send_request(struct sb_vcpu *v, struct request *request) {
    uint8_t room[32];
    struct buffer ack = {.bytes = room, .capacity = sizeof room};
    request->number = ++v->last_request;
    begin_frame(v);
    if (!append(&v->out, request->frame.bytes, request->frame.length)) return out_of_memory(v);
    if (v->ack_due >= 0) {
        v->ack_due = -1;
        v->taken = 0;
        put_field(&ack, 1, v->taken_event);
        put_field(&ack, 2, v->taken_reply);
        if (!put_bytes(&v->out, ACK, ack.bytes, ack.length)) return out_of_memory(v);
    }
    return send_frame(v, BINARY);
}

static void forget_requests(struct sb_vcpu *v, size_t count) {
    for (size_t i = 0; i < count; i++) free(v->requests[i].frame.bytes);
    v->request_count -= count;
    if (count > 0) memmove(v->requests, v->requests + count, v->request_count * sizeof *v->requests);
}

/* A reply came, and with it those before it are done. Returns whether a call waits for it, or did. */
static bool replied(struct sb_vcpu *v, uint32_t id) {
    size_t at = 0;
    while (at < v->request_count && v->requests[at].id != id) at++;
    if (at == v->request_count || v->requests[at].number == 0) return false;
    bool is_posted = v->requests[at].is_posted;
    v->taken_reply = v->requests[at].number;
    forget_requests(v, at + 1);
    ack_soon(v);
    return !is_posted;
}

/* They may or may not have been applied. */
static void lose_requests(struct sb_vcpu *v) {
    for (size_t i = 0; i < v->request_count; i++) {
        if (v->wanted == 0 || v->requests[i].id != v->wanted) continue;
        v->has_failed = true;
        fail(v, "connection-lost", "The request may or may not have been applied by %.120s.", v->url);
    }
    forget_requests(v, v->request_count);
}

/* A request that was never sent is not to be sent later. */
static void cancel_request(struct sb_vcpu *v, uint32_t id) {
    struct request *last = v->request_count > 0 ? &v->requests[v->request_count - 1] : NULL;
    if (!last || last->id != id || last->number > 0) return;
    free(last->frame.bytes);
    v->request_count--;
}

/* Shows the session to the server, and sends the requests again that it did not accept. */
static int resume(struct sb_vcpu *v) {
    const struct hello *hello = &v->hello;
    v->has_session = hello->epoch[0] != 0;
    if (!v->has_session) {
        v->epoch[0] = 0;
        lose_requests(v);
        return 0;
    }
    if (v->epoch[0] == 0) {
        v->received = -1;
        v->taken_event = v->taken_reply = 0;
        v->foreign_count = v->event_count;
    }
    bool is_continued = strcmp(hello->session, v->session) == 0;
    /* The state is older than the session: it has none of its requests. */
    bool is_older = !is_continued && hello->has_request && hello->request == 0;
    if (!is_continued && !is_older) lose_requests(v);
    v->last_request = is_continued ? hello->request : 0;
    for (size_t i = 0; i < v->request_count; i++)
        if (!is_continued || v->requests[i].number > v->last_request) v->requests[i].number = 0;
    if (v->taken_reply > v->last_request) v->taken_reply = v->last_request;
    struct buffer body = {0};
    put_bytes(&body, 1, v->session, strlen(v->session));
    if (v->epoch[0]) put_bytes(&body, 2, v->epoch, strlen(v->epoch));
    put_field(&body, 3, v->taken_event);
    put_field(&body, 4, v->taken_reply);
    struct buffer message = enveloped(RESUME, &body);
    int result = send_message(v, &message);
    free(message.bytes);
    if (v->epoch[0] == 0) memcpy(v->epoch, hello->epoch, sizeof v->epoch);
    for (size_t i = 0; result == 0 && i < v->request_count; i++)
        if (v->requests[i].number == 0) result = send_request(v, &v->requests[i]);
    return result;
}

/* What arrives */

static int grow_events(struct sb_vcpu *v) {
    size_t capacity = v->event_capacity ? 2 * v->event_capacity : 64;
    struct sb_event *events = malloc(capacity * sizeof *events);
    if (!events) return out_of_memory(v);
    for (size_t i = 0; i < v->event_count; i++) events[i] = v->events[(v->first_event + i) % v->event_capacity];
    free(v->events);
    v->events = events;
    v->event_capacity = capacity;
    v->first_event = 0;
    return 0;
}

static int push_event(struct sb_vcpu *v, const struct sb_event *event) {
    v->sequence = event->sequence;
    struct sb_event *last = v->event_count == 0
        ? NULL : &v->events[(v->first_event + v->event_count - 1) % v->event_capacity];
    /* What replaced the state is never left out. */
    bool is_kept = !last || v->event_count < MOST_EVENTS || event->kind == SB_RESTORED || last->kind == SB_RESTORED;
    if (is_kept) {
        if (v->event_count == v->event_capacity && grow_events(v)) return -1;
        v->events[(v->first_event + v->event_count++) % v->event_capacity] = *event;
        return 0;
    }
    /* The last place is that of a gap, which grows: the event before it cannot be reported any more. */
    struct sb_event gap = {.kind = SB_GAP, .from = last->sequence, .sequence = event->sequence};
    if (last->kind == SB_GAP) gap = *last, gap.sequence = event->sequence;
    if (event->has_level) gap.has_level = true, gap.level = event->level;
    if (event->has_lines) {
        gap.has_lines = true;
        gap.hpet_lines = event->hpet_lines;
        gap.external_lines = event->external_lines;
    }
    *last = gap;
    return 0;
}

static void read_apic_message(struct reader r, struct sb_event *event) {
    struct field f;
    while (next_field(&r, &f)) {
        if (f.number == 1) event->vector = (uint8_t)f.value;
        if (f.number == 2) event->delivery_mode = (uint8_t)f.value;
        if (f.number == 3) event->level_triggered = f.value != 0;
        if (f.number == 4) event->logical = f.value != 0;
        if (f.number == 5) event->destination = (uint8_t)f.value;
    }
}

static void read_lines(const struct field *f, struct sb_event *event) {
    struct field line;
    event->has_lines = true;
    for (struct reader lines = reader_of(f); next_field(&lines, &line);)
        *(line.number == 1 ? &event->hpet_lines : &event->external_lines) = (uint32_t)line.value;
}

/* Passes each event on once, although a new connection brings again what the application has not taken. */
static int pass_on(struct sb_vcpu *v, struct sb_event *event) {
    if (v->has_session) {
        int64_t position = (int64_t)(2 * event->sequence + 1);
        if (position <= v->received && event->kind != SB_RESTORED) return 0;
        /* Of the events that a gap stands for, the first may have arrived by the connection before. */
        uint64_t next = (uint64_t)((v->received + 1) / 2);
        if (event->kind == SB_GAP && event->from < next) event->from = next;
        v->received = position;
    }
    return push_event(v, event);
}

static int heard_event(struct sb_vcpu *v, unsigned kind, struct reader r) {
    struct sb_event event = {.kind = kind == S_INTERRUPT ? SB_INTERRUPT : kind == S_INTR ? SB_INTR : SB_GAP};
    struct field f;
    while (next_field(&r, &f)) {
        if (kind == S_GAP) {
            if (f.number == 1) event.from = f.value;
            if (f.number == 2) event.sequence = f.value;
            if (f.number == 3) read_lines(&f, &event);
            if (f.number == 4) event.has_level = true, event.level = f.value != 0;
        } else if (f.number == 1) event.sequence = f.value;
        else if (f.number == 2 && kind == S_INTR) event.has_level = true, event.level = f.value != 0;
        else if (f.number == 2 && f.bytes) read_apic_message(reader_of(&f), &event);
    }
    return pass_on(v, &event);
}

static int heard_restored(struct sb_vcpu *v, struct reader r) {
    struct sb_event event = {.kind = SB_RESTORED, .from = 1};
    struct field f;
    while (next_field(&r, &f)) {
        if (f.number == 1) event.sequence = f.value;
        if (f.number == 2) copy_text(v->epoch, sizeof v->epoch, &f);
        if (f.number == 3) event.age_ms = f.value;
        if (f.number == 5) event.from = f.value + 1;
        if (f.number == 6) read_lines(&f, &event);
        if (f.number == 7) event.has_level = true, event.level = f.value != 0;
    }
    v->taken_event = event.sequence;
    v->foreign_count = v->event_count;
    return pass_on(v, &event);
}

static bool starts_with(const char *text, const char *start) { return strncmp(text, start, strlen(start)) == 0; }

static void next_place(struct sb_vcpu *v) {
    char *first = v->places[0];
    memmove(v->places, v->places + 1, (v->place_count - 1) * sizeof *v->places);
    v->places[v->place_count - 1] = first;
    v->url = v->places[0];
}

static void forget_place(struct sb_vcpu *v, size_t i) {
    free(v->places[i]);
    memmove(v->places + i, v->places + i + 1, (--v->place_count - i) * sizeof *v->places);
}

/* Adds an address, as the first or the last. A token that the application sends over TLS does not go anywhere without. */
static bool add_place(struct sb_vcpu *v, const char *address, bool is_first) {
    if (!starts_with(address, "http:") || starts_with(v->server, "https:") || starts_with(v->server, "wss:")) return false;
    for (size_t i = 0; i < v->place_count; i++)
        if (strcmp(v->places[i], address) == 0) {
            if (!is_first) return true;
            forget_place(v, i);
            break;
        }
    if (v->place_count == MOST_PLACES) forget_place(v, strcmp(v->places[MOST_PLACES - 1], v->server) ? MOST_PLACES - 1 : MOST_PLACES - 2);
    char *copy = strdup(address);
    if (!copy) return false;
    if (is_first) memmove(v->places + 1, v->places, v->place_count * sizeof *v->places);
    v->places[is_first ? 0 : v->place_count] = copy;
    v->place_count++;
    v->url = v->places[0];
    return true;
}

/* Whether the connection is to be used after its hello: one with a lower fence than another is that of an earlier owner. */
static void judge_hello(struct sb_vcpu *v) {
    v->verdict = v->hello.fence < v->fence ? STALE : v->hello.owner[0] ? ELSEWHERE : TAKEN;
    if (v->verdict == STALE || (v->verdict == ELSEWHERE && !add_place(v, v->hello.owner, true))) next_place(v);
    if (v->verdict != TAKEN) return;
    v->fence = v->hello.fence;
    for (size_t i = v->place_count; i-- > 1;)
        if (strcmp(v->places[i], v->server) != 0) forget_place(v, i);
    for (size_t i = 0; i < v->hello.node_count; i++) add_place(v, v->hello.nodes[i], false);
}

static int heard_hello(struct sb_vcpu *v, struct reader r) {
    struct field f;
    struct sb_event intr = {.kind = SB_INTR};
    char resume_token[TEXT_LENGTH] = "";
    v->hello = (struct hello){.has_request = false};
    while (next_field(&r, &f)) {
        if (f.number == 5) copy_text(resume_token, sizeof resume_token, &f);
        if (f.number == 6) intr.sequence = f.value;
        if (f.number == 7) intr.has_level = true, intr.level = f.value != 0;
        if (f.number == 11) copy_text(v->hello.epoch, sizeof v->hello.epoch, &f);
        if (f.number == 12) copy_text(v->hello.session, sizeof v->hello.session, &f);
        if (f.number == 13) v->hello.has_request = true, v->hello.request = f.value;
        if (f.number == 14) v->hello.fence = f.value;
        if (f.number == 15) copy_text(v->hello.owner, sizeof v->hello.owner, &f);
        if (f.number == 16 && v->hello.node_count < MOST_NODES) copy_text(v->hello.nodes[v->hello.node_count++], PLACE_LENGTH, &f);
    }
    judge_hello(v);
    v->greeted = true;
    if (v->verdict != TAKEN) return 0;
    if (resume_token[0]) memcpy(v->resume_token, resume_token, sizeof v->resume_token);
    bool is_first = !v->was_open, continues = v->hello.epoch[0] != 0 && v->epoch[0] != 0;
    v->was_open = true;
    /* INTR is a level, which begins low. In a session its changes follow, and interrupts with lower numbers may. */
    if (v->hello.epoch[0]) intr.sequence = 0;
    return intr.has_level && !continues && (intr.level || !is_first) ? push_event(v, &intr) : 0;
}

static int heard_error(struct sb_vcpu *v, struct reader r) {
    struct field f;
    struct sb_error error = {.code = ""};
    uint32_t id = 0;
    bool has_id = false;
    while (next_field(&r, &f)) {
        if (f.number == 1) id = (uint32_t)f.value, has_id = true;
        if (f.number == 2) copy_text(error.code, sizeof error.code, &f);
        if (f.number == 3) copy_text(error.message, sizeof error.message, &f);
    }
    bool is_of_call = has_id && replied(v, id);
    if (has_id && id == v->wanted) {
        v->has_failed = true;
        v->error = error;
    } else if (!is_of_call && v->posted_error.code[0] == 0) v->posted_error = error;
    return 0;
}

static void heard_fault(struct sb_vcpu *v, const struct field *fault) {
    struct field f, part;
    for (struct reader r = reader_of(fault); next_field(&r, &f);) {
        if (f.number != 2 || !f.bytes || v->has_failed) continue;
        v->has_failed = true;
        for (struct reader error = reader_of(&f); next_field(&error, &part);) {
            if (part.number == 2) copy_text(v->error.code, sizeof v->error.code, &part);
            if (part.number == 3) copy_text(v->error.message, sizeof v->error.message, &part);
        }
    }
}

static int heard_reply(struct sb_vcpu *v, struct reader r) {
    struct field f;
    uint32_t id = 0, low = 0, high = 0;
    uint64_t time = 0, deadline = 0;
    uint8_t vector = 0;
    struct reader all = r;
    while (next_field(&r, &f)) {
        if (f.number == 1) id = (uint32_t)f.value;
        if (f.number == 3) low = (uint32_t)f.value;
        if (f.number == 4) high = (uint32_t)f.value;
        if (f.number == 5) vector = (uint8_t)f.value;
        if (f.number == 9) time = f.value;
        if (f.number == 10) deadline = f.value;
    }
    replied(v, id);
    if (id != v->wanted) return 0; /* late: its call has timed out */
    v->has_reply = true;
    v->reply_value = (uint64_t)high << 32 | low;
    v->reply_vector = vector;
    v->reply_time = time;
    v->reply_deadline = deadline;
    v->has_deadline = deadline > 0;
    while (next_field(&all, &f)) {
        if (f.number == 6 && f.bytes && v->results && f.length == 8 * v->result_count)
            memcpy(v->results, f.bytes, f.length);
        if (f.number == 7 && f.bytes) heard_fault(v, &f);
    }
    return 0;
}

/* One ServerMessage; unknown ones are passed over. */
static int heard(struct sb_vcpu *v, const uint8_t *bytes, size_t length) {
    struct reader r = {.at = bytes, .end = bytes + length};
    struct field f;
    int result = 0;
    while (result == 0 && next_field(&r, &f)) {
        if (!f.bytes) continue;
        struct reader body = reader_of(&f);
        switch (f.number) {
        case S_HELLO: result = heard_hello(v, body); break;
        case S_REPLY: result = heard_reply(v, body); break;
        case S_ERROR: result = heard_error(v, body); break;
        case S_INTERRUPT:
        case S_INTR:
        case S_GAP: result = heard_event(v, f.number, body); break;
        case S_RESTORED: result = heard_restored(v, body); break;
        }
    }
    return r.is_bad ? lost(v, "not a message of this protocol") : result;
}

/* Takes frames until `is_done` says so. Returns 1, 0 after the time, or -1. */
static int receive_until(struct sb_vcpu *v, int64_t end, bool (*is_done)(const struct sb_vcpu *)) {
    for (;;) {
        int taken = 1;
        while (!is_done(v) && (taken = take_frame(v)) > 0) continue;
        if (taken < 0) return -1;
        if (is_done(v)) return 1;
        int received = receive(v, end);
        if (received <= 0) return received;
    }
}

/* Connecting */

/* SHA-1 of fewer than 120 bytes, for Sec-WebSocket-Accept. FIPS 180-4. */
static uint32_t rotate(uint32_t value, int bits) { return value << bits | value >> (32 - bits); }

static void sha1_block(uint32_t h[5], const uint8_t *block) {
    static const uint32_t constants[] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    uint32_t w[80], s[5];
    memcpy(s, h, sizeof s);
    for (int i = 0; i < 80; i++) {
        const uint8_t *b = block + 4 * (i & 15);
        w[i] = i < 16 ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]
                      : rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        uint32_t parity = s[1] ^ s[2] ^ s[3];
        uint32_t mixed = i < 20 ? (s[1] & s[2]) | (~s[1] & s[3])
                         : i >= 40 && i < 60 ? (s[1] & s[2]) | (s[1] & s[3]) | (s[2] & s[3]) : parity;
        uint32_t next = rotate(s[0], 5) + mixed + s[4] + constants[i / 20] + w[i];
        s[4] = s[3], s[3] = s[2], s[2] = rotate(s[1], 30), s[1] = s[0], s[0] = next;
    }
    for (int i = 0; i < 5; i++) h[i] += s[i];
}

static void sha1(const char *text, uint8_t digest[20]) {
    uint32_t h[] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint8_t blocks[128] = {0};
    size_t length = strlen(text), size = length < 56 ? 64 : 128;
    memcpy(blocks, text, length);
    blocks[length] = 0x80;
    blocks[size - 2] = (uint8_t)(length >> 5);
    blocks[size - 1] = (uint8_t)(length << 3);
    for (size_t at = 0; at < size; at += 64) sha1_block(h, blocks + at);
    for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i & 3)));
}

static void base64(const uint8_t *bytes, size_t count, char *to) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < count; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16;
        if (i + 1 < count) group |= (uint32_t)bytes[i + 1] << 8;
        if (i + 2 < count) group |= bytes[i + 2];
        for (int k = 0; k < 4; k++)
            *to++ = i + (size_t)k > count ? '=' : digits[group >> (18 - 6 * k) & 63];
    }
    *to = 0;
}

/* A socket on which neither connecting nor sending takes longer than a call may. */
static int open_socket(struct sb_vcpu *v, int family, int type, int protocol) {
    struct timeval limit = {.tv_sec = v->timeout_ms / 1000, .tv_usec = v->timeout_ms % 1000 * 1000};
    v->fd = socket(family, type | SOCK_CLOEXEC, protocol);
    if (v->fd >= 0) setsockopt(v->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return v->fd;
}

static int connect_unix(struct sb_vcpu *v, const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return fail(v, "bad-url", "The path %.120s is too long.", path);
    strcpy(address.sun_path, path);
    if (open_socket(v, AF_UNIX, SOCK_STREAM, 0) >= 0 && connect(v->fd, (struct sockaddr *)&address, sizeof address) == 0) return 0;
    int reason = errno;
    disconnect(v);
    return fail(v, "connection-refused", "No server answers at %.120s: %s.", v->url, strerror(reason));
}

/* Splits HOST:PORT or [ADDRESS]:PORT. */
static int connect_tcp(struct sb_vcpu *v, const char *authority) {
    char host[256] = "", port[8] = "80";
    bool is_v6 = authority[0] == '[';
    if (sscanf(authority, is_v6 ? "[%255[^]]]:%7[0-9]" : "%255[^:]:%7[0-9]", host, port) < 1)
        return fail(v, "bad-url", "%.120s names no host.", v->url);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int reason = getaddrinfo(host, port, &hints, &found);
    if (reason) return fail(v, "connection-refused", "No server answers at %.120s: %s.", v->url, gai_strerror(reason));
    int error = 0, on = 1;
    for (struct addrinfo *each = found; each && v->fd < 0; each = each->ai_next) {
        if (open_socket(v, each->ai_family, each->ai_socktype, each->ai_protocol) >= 0 &&
            connect(v->fd, each->ai_addr, each->ai_addrlen) == 0)
            break;
        error = errno;
        disconnect(v);
    }
    freeaddrinfo(found);
    if (v->fd < 0) return fail(v, "connection-refused", "No server answers at %.120s: %s.", v->url, strerror(error));
    setsockopt(v->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return 0;
}

/* The code of a refusal, from the body of the answer. */
static int refused(struct sb_vcpu *v, const char *answer, int64_t end) {
    const char *code = NULL;
    char name[sizeof v->error.code] = "connection-refused", line[64];
    snprintf(line, sizeof line, "%.*s", (int)strcspn(answer, "\r\n"), answer);
    while (!(code = strstr((char *)v->in.bytes, "\"code\":\"")) && v->in.length < MOST_HEAD && receive(v, end) > 0)
        v->in.bytes[v->in.length] = 0;
    if (code) sscanf(code, "\"code\":\"%47[^\"]", name);
    disconnect(v);
    return fail(v, name, "%.120s refused the connection: %s.", v->url, line);
}

static int upgrade(struct sb_vcpu *v, const char *host, int64_t end) {
    char request[2048], key[32], seed[80], accept[32];
    uint8_t bytes[20];
    if (random_bytes(v, bytes, 16)) return -1;
    base64(bytes, 16, key);
    int length = snprintf(
        request, sizeof request,
        "GET /v1/machines/%s/vcpus/%u HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Protocol: southbridge.v1.1.proto, southbridge.v1.proto%s%s%s\r\n%s%s%s\r\n",
        v->machine, v->number, host, key, v->follows ? ", southbridge.follow" : "", v->resume_token[0] ? ", southbridge.resume." : "", v->resume_token,
        v->token ? "Authorization: Bearer " : "", v->token ? v->token : "", v->token ? "\r\n" : "");
    if (length >= (int)sizeof request) return fail(v, "bad-argument", "The names and tokens are too long.");
    if (send_all(v, (const uint8_t *)request, (size_t)length)) return -1;
    char *head_end = NULL;
    while (!head_end) {
        int received = receive(v, end);
        if (received < 0) return -1;
        if (received == 0 || v->in.length > MOST_HEAD)
            return fail(v, "connection-refused", "What answers at %.120s is no server of this kind.", v->url);
        v->in.bytes[v->in.length] = 0;
        head_end = strstr((char *)v->in.bytes, "\r\n\r\n");
    }
    if (strncmp((char *)v->in.bytes, "HTTP/1.1 101 ", 13) != 0) return refused(v, (char *)v->in.bytes, end);
    snprintf(seed, sizeof seed, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    sha1(seed, bytes);
    base64(bytes, 20, accept);
    *head_end = 0;
    if (!strstr((char *)v->in.bytes, accept))
        return fail(v, "connection-refused", "What answers at %.120s is no WebSocket.", v->url);
    v->in.start = (size_t)(head_end + 4 - (char *)v->in.bytes);
    return 0;
}

static bool is_greeted(const struct sb_vcpu *v) { return v->greeted; }

/* Connects to the first place, and hears its hello. */
static int open_place(struct sb_vcpu *v) {
    int64_t end = now_ms() + v->connect_ms;
    char host[256] = "localhost";
    v->in.start = v->in.length = v->message.length = 0;
    v->greeted = false;
    const char *after = strstr(v->url, "://");
    bool is_plain = strncmp(v->url, "ws:", 3) == 0 || strncmp(v->url, "http:", 5) == 0;
    if (strncmp(v->url, "unix:", 5) == 0) {
        if (!v->stream && connect_unix(v, v->url + 5)) return -1;
    } else if (after && (is_plain || v->stream)) {
        snprintf(host, sizeof host, "%.*s", (int)strcspn(after + 3, "/"), after + 3);
        if (!v->stream && connect_tcp(v, host)) return -1;
    } else return fail(v, "bad-url", "%.120s is not ws://, http:// or unix:; TLS needs options.stream.", v->url);
    int greeted = upgrade(v, host, end) ? -1 : receive_until(v, end, is_greeted);
    if (greeted > 0) return 0;
    disconnect(v);
    return greeted < 0 ? -1 : fail(v, "connection-refused", "%.120s sends no hello.", v->url);
}

static int open_session(struct sb_vcpu *v) {
    for (int hops = 1;; hops++) {
        if (open_place(v)) {
            next_place(v);
            return -1;
        }
        if (v->verdict == TAKEN) break;
        disconnect(v);
        if (v->verdict == STALE) return fail(v, "stale-owner", "Another node has taken the machine of %.120s.", v->server);
        if (hops == MOST_HOPS) return fail(v, "machine-elsewhere", "The machine is at %.120s.", v->hello.owner);
    }
    v->is_open = true;
    v->tries = 0;
    v->next_try = 0;
    return resume(v);
}

/* Its name has 128 bits: no two clients have the same. */
static int begin_session(struct sb_vcpu *v) {
    uint8_t bytes[16];
    if (random_bytes(v, bytes, sizeof bytes)) return -1;
    lose_requests(v);
    v->is_ended = v->has_session = false;
    v->epoch[0] = 0;
    v->last_request = 0;
    v->ack_due = -1;
    for (size_t i = 0; i < sizeof bytes; i++) snprintf(v->session + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

struct sb_vcpu *sb_connect(const char *url, const char *machine, unsigned vcpu, const struct sb_options *options,
                           struct sb_error *error) {
    static const struct sb_options defaults = {0};
    if (!options) options = &defaults;
    struct sb_vcpu *v = calloc(1, sizeof *v);
    if (!v) return NULL;
    v->fd = -1;
    v->stream = options->stream;
    v->server = strdup(url);
    v->url = v->places[0] = strdup(url);
    v->place_count = v->url ? 1 : 0;
    v->follows = !options->no_follow && !options->stream && strncmp(url, "unix:", 5) != 0;
    v->machine = strdup(machine);
    v->token = options->token ? strdup(options->token) : NULL;
    v->number = vcpu;
    v->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : DEFAULT_TIMEOUT_MS;
    v->connect_ms = options->connect_ms > 0 ? options->connect_ms : CONNECT_MS;
    if (v->connect_ms > v->timeout_ms) v->connect_ms = v->timeout_ms;
    v->retry_ms = options->retry_ms == 0 ? RETRY_MS : options->retry_ms;
    int result = v->server && v->url && v->machine && (v->token || !options->token) ? 0 : out_of_memory(v);
    if (result == 0) result = begin_session(v);
    if (options->resume_token) snprintf(v->resume_token, sizeof v->resume_token, "%s", options->resume_token);
    if (strspn(machine, "abcdefghijklmnopqrstuvwxyz0123456789._-") != strlen(machine))
        result = fail(v, "bad-argument", "%.80s is not the name of a machine.", machine);
    if (strpbrk(v->resume_token, "\r\n") || (v->token && strpbrk(v->token, "\r\n")))
        result = fail(v, "bad-argument", "A token has no line breaks.");
    if (result == 0 && open_session(v) == 0) return v;
    if (error) *error = v->error;
    sb_close(v);
    return NULL;
}

int sb_reconnect(struct sb_vcpu *v) {
    if (v->is_open) return 0;
    if (v->is_ended && begin_session(v)) return -1;
    return open_session(v);
}

/* Whether the session goes on over another connection, which the client makes by itself. */
static bool comes_back(const struct sb_vcpu *v) { return v->has_session && !v->is_ended && !v->stream && v->retry_ms > 0; }

static int not_connected(struct sb_vcpu *v) {
    return fail(v, "connection-lost", "There is no connection to %.120s; call sb_reconnect.", v->url);
}

static void sleep_ms(int64_t ms) {
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) continue;
}

/* Tries to connect until it succeeds: 1. 0 after the time, -1 if a later try cannot succeed. */
static int come_back(struct sb_vcpu *v, int64_t end) {
    for (;;) {
        int64_t now = now_ms(), wait = v->next_try > now ? v->next_try - now : 0;
        bool is_late = end >= 0 && now + wait > end;
        if (is_late) wait = end > now ? end - now : 0;
        if (wait > 0) sleep_ms(wait);
        if (is_late) return 0;
        if (open_session(v) == 0) return 1;
        if (!is_passing(v->error.code)) {
            v->is_ended = true;
            return -1;
        }
        int64_t delay = v->retry_ms;
        for (unsigned i = 0; i < v->tries && delay < LONGEST_RETRY_MS; i++) delay *= 2;
        v->tries++;
        v->next_try = now_ms() + (delay < LONGEST_RETRY_MS ? delay : LONGEST_RETRY_MS);
    }
}

void sb_close(struct sb_vcpu *v) {
    if (!v) return;
    if (v->is_open && v->ack_due >= 0) send_ack(v);
    if (v->is_open) {
        begin_frame(v);
        if (append(&v->out, "\x03\xe8", 2)) send_frame(v, CLOSE);
    }
    disconnect(v);
    forget_requests(v, v->request_count);
    free(v->requests);
    while (v->place_count > 0) free(v->places[--v->place_count]);
    free(v->server);
    free(v->machine);
    free(v->token);
    free(v->in.bytes);
    free(v->message.bytes);
    free(v->out.bytes);
    free(v->events);
    free(v);
}

const struct sb_error *sb_error(const struct sb_vcpu *v) { return &v->error; }
const char *sb_resume_token(const struct sb_vcpu *v) { return v->resume_token; }
int sb_fd(const struct sb_vcpu *v) { return v->fd; }

/* Requests */

static bool is_answered(const struct sb_vcpu *v) { return v->has_reply || v->has_failed; }

/* Starts the message of a request with its id. */
static void begin(struct sb_vcpu *v, struct buffer *body) {
    *body = (struct buffer){0};
    if (++v->id == 0) v->id = 1;
    put_field(body, 1, v->id);
}

/* Waits for the reply to a request, over as many connections as it takes. */
static int await_reply(struct sb_vcpu *v, uint32_t id) {
    int64_t end = now_ms() + v->timeout_ms;
    for (;;) {
        int back = v->is_open ? 1 : come_back(v, end);
        int answered = back > 0 ? receive_until(v, end, is_answered) : back;
        if (answered < 0 && back > 0 && !v->is_open && comes_back(v)) continue;
        v->wanted = 0;
        if (answered > 0) return v->has_failed ? -1 : 0;
        if (answered == 0) fail(v, "timeout", "The request has no reply within %d ms; it may be applied.", v->timeout_ms);
        cancel_request(v, id);
        return -1;
    }
}

/* Sends a request, and unless it is posted waits for its reply. Frees the body. */
static int finish(struct sb_vcpu *v, unsigned field, struct buffer *body, bool is_complete, bool is_posted) {
    uint32_t id = v->id;
    body->is_incomplete |= !is_complete;
    struct buffer frame = enveloped(field, body);
    if (v->posted_error.code[0] || (!v->is_open && !comes_back(v))) {
        free(frame.bytes);
        if (!v->posted_error.code[0]) return not_connected(v);
        v->error = v->posted_error;
        v->posted_error.code[0] = 0;
        return -1;
    }
    struct request *request = add_request(v, id, &frame, is_posted);
    if (!request) return -1;
    v->has_reply = v->has_failed = false;
    v->wanted = is_posted ? 0 : id;
    int sent = v->is_open ? send_request(v, request) : 0;
    if (sent < 0 && (v->is_open || !comes_back(v))) {
        forget_requests(v, v->request_count);
        v->wanted = 0;
        return -1;
    }
    if (!is_posted) return await_reply(v, id);
    return v->request_count < POSTED_AT_ONCE ? 0 : sb_sync(v);
}

static int check_size(struct sb_vcpu *v, unsigned size) {
    return size == 1 || size == 2 || size == 4 || size == 8
               ? 0 : fail(v, "bad-argument", "%u is not the width of an access; give 1, 2, 4 or 8.", size);
}

static bool put_address(struct buffer *b, uint64_t address, unsigned size) {
    return put_field(b, 2, size) && put_fixed32(b, 3, (uint32_t)address) && put_fixed32(b, 4, (uint32_t)(address >> 32));
}

int sb_read(struct sb_vcpu *v, uint64_t address, unsigned size, uint64_t *value) {
    struct buffer body;
    if (check_size(v, size)) return -1;
    begin(v, &body);
    if (finish(v, READ, &body, put_address(&body, address, size), false)) return -1;
    *value = v->reply_value;
    return 0;
}

static int write_register(struct sb_vcpu *v, uint64_t address, unsigned size, uint64_t value, bool is_posted) {
    struct buffer body;
    if (check_size(v, size)) return -1;
    begin(v, &body);
    bool is_complete = put_address(&body, address, size) && put_fixed32(&body, 5, (uint32_t)value) &&
                       put_fixed32(&body, 6, (uint32_t)(value >> 32)) && put_field(&body, 7, is_posted);
    return finish(v, WRITE, &body, is_complete, is_posted);
}

int sb_write(struct sb_vcpu *v, uint64_t address, unsigned size, uint64_t value) {
    return write_register(v, address, size, value, false);
}

int sb_post(struct sb_vcpu *v, uint64_t address, unsigned size, uint64_t value) {
    return write_register(v, address, size, value, true);
}

static void put_record(uint8_t *record, const struct sb_access *access) {
    unsigned log2 = access->size == 1 ? 0 : access->size == 2 ? 1 : access->size == 4 ? 2 : 3;
    uint64_t value = access->write ? access->value : 0;
    record[0] = (uint8_t)(access->write | log2 << 2);
    record[1] = 0;
    for (int i = 0; i < 2; i++) record[2 + i] = (uint8_t)(access->address >> (32 + 8 * i));
    for (int i = 0; i < 4; i++) record[4 + i] = (uint8_t)(access->address >> 8 * i);
    for (int i = 0; i < 8; i++) record[8 + i] = (uint8_t)(value >> 8 * i);
}

int sb_batch(struct sb_vcpu *v, struct sb_access *accesses, size_t count) {
    struct buffer body;
    if (count > MOST_ACCESSES) return fail(v, "bad-argument", "A batch has at most %d accesses.", MOST_ACCESSES);
    for (size_t i = 0; i < count; i++) {
        if (check_size(v, accesses[i].size)) return -1;
        if (accesses[i].address >> 48) return fail(v, "bad-argument", "Addresses of a batch have 48 bits.");
    }
    uint8_t *results = calloc(count ? count : 1, 8);
    begin(v, &body);
    bool is_complete = results && (count == 0 || (put_varint(&body, 2 << 3 | 2) && put_varint(&body, 16 * count))) &&
                       reserve(&body, 16 * count + 1);
    for (size_t i = 0; is_complete && i < count; i++, body.length += 16) put_record(body.bytes + body.length, &accesses[i]);
    v->results = results;
    v->result_count = count;
    int result = finish(v, BATCH, &body, is_complete, false);
    v->results = NULL;
    for (size_t i = 0; result == 0 && i < count; i++) {
        if (accesses[i].write) continue;
        accesses[i].value = 0;
        for (int k = 0; k < 8; k++) accesses[i].value |= (uint64_t)results[8 * i + (size_t)k] << 8 * k;
    }
    free(results);
    return result;
}

/* A request with up to two numbers. */
static int request(struct sb_vcpu *v, unsigned field, uint64_t first, uint64_t second) {
    struct buffer body;
    begin(v, &body);
    return finish(v, field, &body, put_field(&body, 2, first) && put_field(&body, 3, second), false);
}

int sb_port_in(struct sb_vcpu *v, uint16_t port, uint8_t *value) {
    if (request(v, PORT_IN, port, 0)) return -1;
    *value = (uint8_t)v->reply_value;
    return 0;
}

int sb_port_out(struct sb_vcpu *v, uint16_t port, uint8_t value) { return request(v, PORT_OUT, port, value); }

int sb_inta(struct sb_vcpu *v, uint8_t *vector) {
    if (request(v, INTA, 0, 0)) return -1;
    *vector = v->reply_vector;
    return 0;
}

int sb_line(struct sb_vcpu *v, unsigned gsi, bool level) { return request(v, SET_LINE, gsi, level); }
int sb_eoi(struct sb_vcpu *v, uint8_t vector) { return request(v, EOI, vector, 0); }
int sb_apic(struct sb_vcpu *v, uint8_t logical_id, bool cluster) { return request(v, SET_APIC, logical_id, cluster ? 2 : 1); }
int sb_step(struct sb_vcpu *v, uint64_t ns) { return request(v, STEP, ns, 0); }

int sb_step_clock(struct sb_vcpu *v, struct sb_step *step) {
    struct buffer body, read = {0};
    if (step->read_size > 0 && check_size(v, step->read_size)) return -1;
    begin(v, &body);
    bool is_complete = put_field(&body, 2, step->ns) && put_field(&body, 3, step->to_deadline);
    if (step->read_size > 0) {
        is_complete = is_complete && put_field(&read, 1, step->read_size) && put_fixed32(&read, 2, (uint32_t)step->read_address) &&
                      put_fixed32(&read, 3, (uint32_t)(step->read_address >> 32)) && put_bytes(&body, 4, read.bytes, read.length);
        free(read.bytes);
    }
    if (finish(v, STEP, &body, is_complete, false)) return -1;
    step->time = v->reply_time;
    step->has_deadline = v->has_deadline;
    step->deadline = v->reply_deadline;
    step->value = v->reply_value;
    return 0;
}

int sb_input(struct sb_vcpu *v, enum sb_input input, bool level) { return request(v, SET_INPUT, input, level); }
int sb_sync(struct sb_vcpu *v) { return request(v, SYNC, 0, 0); }

/* Events */

static bool has_event(const struct sb_vcpu *v) { return v->event_count > 0; }

int sb_wait(struct sb_vcpu *v, int timeout_ms) {
    int64_t end = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
    if (has_event(v)) return 1;
    for (;;) {
        if (!v->is_open && !comes_back(v)) return not_connected(v);
        int back = v->is_open ? 1 : come_back(v, end);
        if (back <= 0) return back;
        int received = receive_until(v, end, has_event);
        if (received >= 0 || v->is_open || !comes_back(v)) return received;
    }
}

bool sb_next_event(struct sb_vcpu *v, struct sb_event *event) {
    bool has_one = v->event_count > 0;
    if (has_one) {
        *event = v->events[v->first_event];
        v->first_event = (v->first_event + 1) % v->event_capacity;
        v->event_count--;
        if (v->foreign_count > 0) v->foreign_count--;
        else if (event->sequence > v->taken_event) v->taken_event = event->sequence;
        v->taken++;
        ack_soon(v);
    }
    /* A connection that is lost here shows in the next call. */
    if (v->ack_due >= 0 && (v->taken >= ACK_EVENTS || now_ms() >= v->ack_due)) send_ack(v);
    return has_one;
}
