// Makes src/api/generated.ts from the committed schema and src/api/operations.graphql by the GraphQL Code Generator's
// core and plugins. `--check` changes nothing and fails when the file is not what would be made.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { codegen } from '@graphql-codegen/core';
import * as typedDocumentNode from '@graphql-codegen/typed-document-node';
import * as operationTypes from '@graphql-codegen/typescript-operations';
import { buildSchema, parse, printSchema, validate } from 'graphql';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const SCHEMA = at('../../schema.graphql');
const OPERATIONS = at('../src/api/operations.graphql');
const TARGET = at('../src/api/generated.ts');
const HEAD = '/* Made by `npm run codegen` from schema.graphql and operations.graphql: do not edit. */\n';

async function generated() {
  const schema = buildSchema(await readFile(SCHEMA, 'utf8'));
  const document = parse(await readFile(OPERATIONS, 'utf8'));
  const mistakes = validate(schema, document);
  if (mistakes.length > 0) {
    throw new Error(`operations.graphql does not fit schema.graphql:\n${mistakes.map(String).join('\n')}`);
  }
  const config = {
    scalars: { DateTime: 'string', ID: 'string' },
    enumType: 'string-literal',
    enumsAsTypes: true,
    onlyOperationTypes: true,
    useTypeImports: true,
    immutableTypes: true,
    skipTypename: true,
    disableDescriptions: true,
    documentMode: 'documentNode',
    strictScalars: true,
  };
  const text = await codegen({
    filename: TARGET,
    schema: parse(printSchema(schema)),
    documents: [{ location: OPERATIONS, document }],
    config,
    plugins: [{ operations: {} }, { documents: {} }],
    pluginMap: { operations: operationTypes, documents: typedDocumentNode },
  });
  return `${HEAD}${text.trim()}\n`;
}

const text = await generated();
if (process.argv.includes('--check')) {
  const present = await readFile(TARGET, 'utf8').catch(() => '');
  if (present !== text) {
    console.error('src/api/generated.ts is not up to date with schema.graphql: run `npm run codegen` in ui/ and commit');
    process.exitCode = 1;
  }
} else {
  await writeFile(TARGET, text);
}
