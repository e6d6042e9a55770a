import { resolve } from 'node:path';

import ts from 'typescript';

const folder = resolve('test');
const fileOf = (name: string): string => resolve(folder, `snippet ${name}.ts`);

/** What the compiler says of texts that are no files, each by itself, as if they stood in a user's project. */
export function compile(texts: Readonly<Record<string, string>>): (name: string) => string[] {
  const sources: Record<string, string> = Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [fileOf(name), text]),
  );
  const { config } = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(
    { ...config.compilerOptions, noUnusedLocals: false },
    resolve('.'),
  );
  const host = ts.createCompilerHost(options);
  const read = host.readFile.bind(host);
  const exists = host.fileExists.bind(host);
  host.readFile = (path) => sources[path] ?? read(path);
  host.fileExists = (path) => sources[path] !== undefined || exists(path);
  const program = ts.createProgram(Object.keys(sources), options, host);
  return (name) => {
    const file = program.getSourceFile(fileOf(name));
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(({ messageText }) =>
      ts.flattenDiagnosticMessageText(messageText, '\n'),
    );
  };
}
