import Glibc
import PMTestSupport
import Testing

@testable import PMSystem

/// Resources of one tree of processes, read without all others.
@Suite struct ProcessTreeTests {
    /// Runs `body` with the id of a shell that has a child; both end with their standard input.
    private func withTree(_ body: (pid_t) throws -> Void) throws {
        let ends = try Pipe.make()
        // The shell's child waits for its input.
        #expect(fcntl(ends.reading.raw, F_SETFL, 0) == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends.reading.raw, 0)
        let words: [UnsafeMutablePointer<CChar>?] = ["sh", "-c", "cat; true"].map { (word: String) in strdup(word) }
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        #expect(posix_spawn(&pid, "/bin/sh", &actions, nil, words + [nil], environ) == 0)
        defer {
            // Its child reads the end of the pipe then.
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        try withExtendedLifetime(ends) { try body(pid) }
    }

    @Test func `a tree is its leader and all that descend from it`() throws {
        try withTree { leader in
            var use = TreeUse()
            // No event reports that the shell has made its child.
            try until("the shell has a child") {
                use = try #require(ProcessTree.use(of: leader, leaders: [leader]))
                return use.processes == 2
            }
            #expect(use.memory > 0)
            let others = ProcessTable().uses(ofTrees: [leader])
            #expect(others[leader]?.processes == 2)
        }
    }

    @Test func `one process is looked at alone`() {
        #expect(ProcessTree.use(ofProcess: getpid())?.processes == 1)
        #expect(ProcessTree.use(ofProcess: .max) == nil)
    }

    @Test func `what has ended uses nothing`() throws {
        #expect(try #require(ProcessTree.use(of: .max, leaders: [])).processes == 0)
    }
}
