import PMModel
import Testing

@testable import PMSystem

/// The steps of a start, in C and in Swift.
@Suite struct SpawnStepTests {
    @Test func `each step of C has the case with its word, and none is left over`() throws {
        var seen: Set<SpawnStep> = []
        for number in UInt32(0)... {
            guard let word = SpawnStep.word(ofNumber: number) else { break }
            let step = SpawnStep(number: number)
            #expect(step.rawValue == word)
            seen.insert(step)
        }
        #expect(seen == Set(SpawnStep.allCases).subtracting([.unknown]))
    }

    @Test(arguments: [28, 1000, UInt32.max])
    func `a number of a newer pm-init is no known step`(number: UInt32) {
        #expect(SpawnStep(number: number) == .unknown)
    }
}
