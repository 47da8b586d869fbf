import {
  applyDecorators,
  Controller,
  createParamDecorator,
  type ExecutionContext,
  UseFilters,
  UseInterceptors,
} from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request } from 'express';
import { type FormValues, textsOnly } from './form-state';
import { WebFilter } from './web.filter';
import { WebInterceptor } from './web.interceptor';

export type { FormValues } from './form-state';

/** A controller of pages: its handlers return a WebAnswer, its errors are pages. */
export const WebController = (path: string) =>
  applyDecorators(Controller(path), ApiExcludeController(), UseFilters(WebFilter), UseInterceptors(WebInterceptor));

export const Form = createParamDecorator((_: unknown, context: ExecutionContext): FormValues => {
  return textsOnly(context.switchToHttp().getRequest<Request>().body);
});

/** The query's parameters that are texts. */
export const Ask = createParamDecorator((_: unknown, context: ExecutionContext): FormValues => {
  const { query } = context.switchToHttp().getRequest<Request>();
  return textsOnly(query);
});

/** A whole number from a query or form, or undefined. */
export function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,14}$/.test(text.trim()) ? Number(text) : undefined;
}

/** The text if it is one of these values, else undefined. */
export function oneOf<const T extends string>(values: readonly T[], text: string | undefined): T | undefined {
  return values.find((value) => value === text);
}
