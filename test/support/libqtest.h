/*
 * The functions of QEMU's libqtest that `southbridge conform` prints, under their names, for tests that compile what it
 * prints. It listens on two Unix sockets, starts $QTEST_QEMU_BINARY with the options that libqtest gives it, and speaks the
 * qtest protocol and QMP. A failed assertion ends the program with status 1.
 */
#ifndef SOUTHBRIDGE_TEST_LIBQTEST_H
#define SOUTHBRIDGE_TEST_LIBQTEST_H

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define QTEST_LINES 256

typedef struct QTestState {
    FILE *qtest;
    FILE *qmp;
    pid_t pid;
    char folder[64];
    bool levels[QTEST_LINES];
} QTestState;

__attribute__((noreturn, format(printf, 1, 2))) static inline void qtest_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

#define g_assert_cmphex(a, op, b)                                                                              \
    do {                                                                                                       \
        uint64_t a_ = (a), b_ = (b);                                                                           \
        if (!(a_ op b_))                                                                                       \
            qtest_fail("%s:%d: (" #a " " #op " " #b "): (0x%" PRIx64 " " #op " 0x%" PRIx64 ")", __FILE__,      \
                       __LINE__, a_, b_);                                                                      \
    } while (0)
#define g_assert_true(a)                                                                                       \
    do {                                                                                                       \
        if (!(a))                                                                                              \
            qtest_fail("%s:%d: " #a " is not true", __FILE__, __LINE__);                                       \
    } while (0)
#define g_assert_false(a) g_assert_true(!(a))

static inline int qtest_listen(const char *folder, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", folder, name);
    if (socket_fd < 0 || bind(socket_fd, (struct sockaddr *)&address, sizeof address) || listen(socket_fd, 1))
        qtest_fail("no socket %s", address.sun_path);
    return socket_fd;
}

/* The stream is for reading: one that also writes would lose what it has read ahead. */
static inline FILE *qtest_accept(int listening)
{
    int connection = accept(listening, NULL, NULL);
    FILE *stream = connection < 0 ? NULL : fdopen(connection, "r");
    if (!stream)
        qtest_fail("the program under test does not connect");
    close(listening);
    return stream;
}

static inline void qtest_line(FILE *stream, char *line, int size)
{
    if (!fgets(line, size, stream))
        qtest_fail("the program under test closed a socket");
    line[strcspn(line, "\r\n")] = '\0';
}

static inline void qtest_qmp_wait(QTestState *s, const char *word)
{
    char line[1 << 16];
    do
        qtest_line(s->qmp, line, sizeof line);
    while (!strstr(line, word));
}

static inline void qtest_qmp_send(QTestState *s, const char *text)
{
    dprintf(fileno(s->qmp), "%s\n", text);
}

static inline QTestState *qtest_init(const char *options)
{
    QTestState *s = calloc(1, sizeof *s);
    char command[4096];
    int qtest, qmp;
    signal(SIGPIPE, SIG_IGN);
    alarm(120);
    snprintf(s->folder, sizeof s->folder, "/tmp/southbridge-qtest-XXXXXX");
    if (!mkdtemp(s->folder))
        qtest_fail("no folder %s", s->folder);
    qtest = qtest_listen(s->folder, "qtest");
    qmp = qtest_listen(s->folder, "qmp");
    snprintf(command, sizeof command,
             "exec %s -qtest unix:%s/qtest -qtest-log /dev/null -chardev socket,path=%s/qmp,id=char0 "
             "-mon chardev=char0,mode=control -display none -audio none %s -accel qtest",
             getenv("QTEST_QEMU_BINARY"), s->folder, s->folder, options);
    s->pid = fork();
    if (s->pid == 0) {
        /* QEMU outlives its sockets, but not this program. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    s->qtest = qtest_accept(qtest);
    s->qmp = qtest_accept(qmp);
    qtest_qmp_wait(s, "QMP");
    qtest_qmp_send(s, "{\"execute\": \"qmp_capabilities\"}");
    qtest_qmp_wait(s, "return");
    return s;
}

/* Sends a command and takes IRQ messages until its answer; returns the value of that, if it has one. */
__attribute__((format(printf, 2, 3))) static inline uint64_t qtest_command(QTestState *s, const char *format, ...)
{
    va_list arguments;
    char command[256], line[256], change[16];
    unsigned number;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    dprintf(fileno(s->qtest), "%s\n", command);
    for (;;) {
        qtest_line(s->qtest, line, sizeof line);
        if (sscanf(line, "IRQ %15s %u", change, &number) != 2)
            break;
        if (number < QTEST_LINES)
            s->levels[number] = strcmp(change, "raise") == 0;
    }
    if (strncmp(line, "OK", 2) != 0)
        qtest_fail("%s: %s", format, line);
    return strlen(line) > 3 ? strtoull(line + 3, NULL, 0) : 0;
}

#define QTEST_ACCESS(suffix, letter, type)                                                                     \
    static inline type qtest_read##suffix(QTestState *s, uint64_t address)                                     \
    {                                                                                                          \
        return (type)qtest_command(s, "read" letter " 0x%" PRIx64, address);                                   \
    }                                                                                                          \
    static inline void qtest_write##suffix(QTestState *s, uint64_t address, type value)                        \
    {                                                                                                          \
        qtest_command(s, "write" letter " 0x%" PRIx64 " 0x%" PRIx64, address, (uint64_t)value);                \
    }
QTEST_ACCESS(b, "b", uint8_t)
QTEST_ACCESS(w, "w", uint16_t)
QTEST_ACCESS(l, "l", uint32_t)
QTEST_ACCESS(q, "q", uint64_t)

static inline uint8_t qtest_inb(QTestState *s, uint16_t port)
{
    return (uint8_t)qtest_command(s, "inb 0x%x", port);
}

static inline void qtest_outb(QTestState *s, uint16_t port, uint8_t value)
{
    qtest_command(s, "outb 0x%x 0x%x", port, value);
}

static inline int64_t qtest_clock_step(QTestState *s, int64_t ns)
{
    return (int64_t)qtest_command(s, "clock_step %" PRIi64, ns);
}

static inline void qtest_set_irq_in(QTestState *s, const char *path, const char *name, int number, int level)
{
    qtest_command(s, "set_irq_in %s %s %d %d", path, name ? name : "unnamed-gpio-in", number, level);
}

static inline void qtest_irq_intercept_out(QTestState *s, const char *path)
{
    qtest_command(s, "irq_intercept_out %s", path);
}

static inline void qtest_irq_intercept_out_named(QTestState *s, const char *path, const char *name)
{
    qtest_command(s, "irq_intercept_out %s %s", path, name);
}

static inline bool qtest_get_irq(QTestState *s, int number)
{
    qtest_command(s, "endianness");
    return s->levels[number];
}

/* Its event may come before or after its answer. */
static inline void qtest_system_reset(QTestState *s)
{
    char line[1 << 16];
    bool has_event = false, has_answer = false;
    qtest_qmp_send(s, "{\"execute\": \"system_reset\"}");
    while (!has_event || !has_answer) {
        qtest_line(s->qmp, line, sizeof line);
        has_event |= strstr(line, "\"RESET\"") != NULL;
        has_answer |= strstr(line, "\"return\"") != NULL;
    }
}

static inline void qtest_quit(QTestState *s)
{
    char path[128];
    fclose(s->qtest);
    fclose(s->qmp);
    kill(s->pid, SIGTERM);
    waitpid(s->pid, NULL, 0);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", s->folder, i ? "qmp" : "qtest");
        unlink(path);
    }
    rmdir(s->folder);
    free(s);
}

#endif
