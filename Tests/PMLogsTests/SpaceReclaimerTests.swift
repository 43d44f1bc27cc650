import Glibc
import PMSystem
import Testing

@testable import PMLogs

@Suite struct `Space of removed files` {
    private let fixture: LogFixture

    init() throws {
        fixture = try LogFixture()
    }

    /// A file of so many bytes, opened.
    private func file(_ size: Int) throws -> (path: String, descriptor: SharedFD) {
        let path = "\(fixture.root)/file"
        let file = try OwnedFD.open(path, O_RDWR | O_CREAT, mode: 0o600)
        try FileCalls.truncate(file, to: size, path)
        return (path, SharedFD(file))
    }

    @Test func `is given back piece by piece`() throws {
        let (path, file) = try file(2 * SpaceReclaimer.piece + 1)
        let reclaimer = SpaceReclaimer()
        try reclaimer.remove(path, size: 2 * SpaceReclaimer.piece + 1)
        #expect(try Files.status(path) == nil)
        var sizes: [Int64] = []
        while reclaimer.hasWork {
            reclaimer.step()
            sizes.append(try Files.status(of: file.raw, path).size)
        }
        // The last piece goes with the descriptor, of which this test has another one.
        #expect(sizes == [Int64(SpaceReclaimer.piece + 1), 1, 1])
    }

    @Test func `is given back at once where there is little`() throws {
        let path = try file(SpaceReclaimer.piece).path
        let reclaimer = SpaceReclaimer()
        try reclaimer.remove(path, size: SpaceReclaimer.piece)
        #expect(try Files.status(path) == nil && !reclaimer.hasWork)
        try reclaimer.remove(path, size: SpaceReclaimer.piece)
    }
}
