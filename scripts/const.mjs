// esbuild declares everything at the top of a joined file by `var`, which V8 must read again at each use: a call then
// costs a twelfth more. What is never assigned anew becomes `const`.
import ts from 'typescript'

/**
 * The text of a module with `const` for each top-level `var` that nothing assigns. esbuild shadows no top-level name.
 */
export function withConstants(text) {
  const file = ts.createSourceFile('module.js', text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS)
  const assigned = new Set()
  collectAssigned(file, assigned)
  let result = ''
  let at = 0
  for (const { declarationList } of file.statements.filter(ts.isVariableStatement)) {
    if (declarationList.flags & ts.NodeFlags.BlockScoped) continue
    if (!declarationList.declarations.every(({ name, initializer }) => initializer && isConstant(name, assigned))) continue
    const start = declarationList.getStart(file)
    result += `${text.slice(at, start)}const`
    at = start + 'var'.length
  }
  return result + text.slice(at)
}

function isConstant(name, assigned) {
  if (ts.isIdentifier(name)) return !assigned.has(name.text)
  return name.elements.every((element) => ts.isOmittedExpression(element) || isConstant(element.name, assigned))
}

function collectAssigned(node, assigned) {
  const { FirstAssignment, LastAssignment, PlusPlusToken, MinusMinusToken } = ts.SyntaxKind
  if (ts.isBinaryExpression(node) && node.operatorToken.kind >= FirstAssignment && node.operatorToken.kind <= LastAssignment)
    addTargets(node.left, assigned)
  else if (node.operator === PlusPlusToken || node.operator === MinusMinusToken) addTargets(node.operand, assigned)
  else if (ts.isForInStatement(node) || ts.isForOfStatement(node)) addTargets(node.initializer, assigned)
  ts.forEachChild(node, (child) => collectAssigned(child, assigned))
}

/** Adds the names in a target of an assignment; of `a.b` or `a[b]` there is none. */
function addTargets(node, assigned) {
  if (ts.isIdentifier(node)) assigned.add(node.text)
  else if (!ts.isPropertyAccessExpression(node) && !ts.isElementAccessExpression(node) && !ts.isVariableDeclarationList(node))
    ts.forEachChild(node, (child) => addTargets(child, assigned))
}
