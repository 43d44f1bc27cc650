import Glibc
import PMSystem
import PMTestSupport
import Testing

@Suite struct DirectoryWatchTests {
    /// Whether there is something to look up, without waiting.
    private func isReadable(_ descriptor: Int32) -> Bool {
        var set = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&set, 1, 0) == 1
    }

    @Test func `what comes, changes and goes in a directory is told, until it is drained`() async throws {
        try await TestProject.with { project in
            let watch = try DirectoryWatch()
            let watched = watch.raw
            try watch.add(project.directory)
            try watch.add(project.directory)
            #expect(!isReadable(watched))
            let path = project.directory + "/a"
            for change in [
                { try Files.replace(path, with: [1]) }, { try Files.replace(path, with: [2]) },
                { try Files.remove(path) },
                { try Files.makeDirectories(project.directory + "/folder", mode: 0o755) },
            ] {
                try change()
                #expect(isReadable(watched))
                watch.drain()
                #expect(!isReadable(watched))
            }
        }
    }

    @Test func `a directory that is not there is said to be missing`() throws {
        let watch = try DirectoryWatch()
        do throws(SystemError) {
            try watch.add("/nowhere")
            Issue.record("it is watched")
        } catch {
            #expect(error == SystemError("watch", "/nowhere", code: ENOENT))
        }
    }
}
