import PMModel
import Testing

@Suite struct NodePreloadTests {
    @Test func `a file is loaded before the program, with what was to be loaded`() {
        let option = #"NODE_OPTIONS=--require="/lib/a.cjs""#
        #expect(NodePreload.adding("/lib/a.cjs", to: []) == [option])
        #expect(NodePreload.adding("/lib/a.cjs", to: ["A=1", "B=2"]) == ["A=1", "B=2", option])
        #expect(
            NodePreload.adding("/lib/a.cjs", to: ["NODE_OPTIONS=--no-warnings", "B=2"])
                == [option + " --no-warnings", "B=2"])
    }

    @Test func `no options at all are left as they are`() {
        #expect(NodePreload.adding("/lib/a.cjs", to: ["NODE_OPTIONS="]) == ["NODE_OPTIONS="])
    }

    @Test func `its path may hold anything`() {
        #expect(NodePreload.adding(#"/a "b\c"#, to: []) == [#"NODE_OPTIONS=--require="/a \"b\\c""#])
    }
}
